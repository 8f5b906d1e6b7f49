"""The live stream in the published schema: how it is opened, what a text holds, why it closes."""

from typing import Any

import msgspec

from trading.stream import passes, payloads

PATH = "/ws/live"
TEMPLATE = "#/components/schemas/Stream{name}"
PAYLOADS = {
    "engine": payloads.EngineStatus,
    "alert": payloads.Alert,
    "bar": payloads.Bar,
    "price": payloads.Price,
    "position": payloads.Position,
    "decision": payloads.Decision,
    "fill": payloads.Fill,
}
NOT_READING = 4408
CLOSES = {
    passes.CANNOT_TELL: "nobody can tell just now whether you may listen; connect again later",
    passes.TWO_PASSES: "a session and a key together; show one",
    passes.NOT_SIGNED_IN: "not signed in, or the key is unknown, revoked or expired",
    passes.NOT_A_MEMBER: "no member of the workspace any more",
    passes.ROLE_CHANGED: "another role; connect again",
    NOT_READING: "you did not confirm what was sent; connect again",
    passes.SUSPENDED: "the workspace is suspended",
    passes.TOO_MANY: "too many sockets or handshakes; connect again later",
}
WORDS = f"""A WebSocket: connect to `ws(s)://host{PATH}` with the key in the header of the handshake, never
in the address. The first text holds the newest value of every key of the workspace, each later one what
changed, at most twenty a second. A value is the whole newest one: nothing is added up. Confirm by sending
a `StreamConfirmation` at least every {payloads.CONFIRM_EVERY} texts. A key is `kind:market:engine`:
`engine::<id>`, `alert::<id>`, `bar:0:<id>`, `price:0:<id>`, `position:0:<id>`, `decision:0:<id>`,
`fill:0:<id>`; `bell::` holds nothing and says that notifications came or were read. It closes with a code: """


def publish_stream(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: the one address that is no request and its answer."""
    found = msgspec.json.schema_components(PAYLOADS.values(), ref_template=TEMPLATE)[1]
    schemas = result["components"]["schemas"]
    schemas |= {f"Stream{name}": one for name, one in found.items()}
    told = [{"$ref": TEMPLATE.format(name=one.__name__)} for one in PAYLOADS.values()]
    schemas["StreamEnvelope"] = {
        "type": "object",
        "description": "The newest value of one key.",
        "properties": {
            "v": {"const": payloads.VERSION},
            "key": {"type": "string", "examples": ["bar:0:<engine>"]},
            "seq": {"type": "integer"},
            "data": {"anyOf": [*told, {"type": "object", "maxProperties": 0}]},
        },
        "required": ["v", "key", "seq", "data"],
    }
    schemas["StreamText"] = {
        "type": "array",
        "description": "One text of the live stream.",
        "items": {"$ref": TEMPLATE.format(name="Envelope")},
    }
    schemas["StreamConfirmation"] = {
        "type": "object",
        "description": "What a reader of the live stream sends.",
        "properties": {"read": {"type": "integer", "minimum": 0}},
        "required": ["read"],
        "examples": [{"read": payloads.CONFIRM_EVERY}],
    }
    result["paths"][PATH] = {"get": _handshake()}
    return result


def _handshake() -> dict[str, Any]:
    closes = "; ".join(f"{code}: {words}" for code, words in sorted(CLOSES.items()))
    text = {"application/json": {"schema": {"$ref": TEMPLATE.format(name="Text")}}}
    return {
        "operationId": "follow_stream",
        "summary": "Follow the live stream",
        "description": f"{WORDS}{closes}.",
        "tags": ["stream"],
        "security": [{"ApiKey": []}, {"Session": []}],
        "responses": {
            "101": {"description": "Open; texts of this kind follow.", "content": text},
        },
    }
