"""What of a page people cannot use who see, hear or move differently: axe's serious findings."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
# Contrast is measured word by word, which is nine tenths of axe's work. So of siblings that all styles
# make look the same, down to the last word, one stands for all; every other rule sees everything.
EXAMINE = """async (grave) => {
    const styles = ["display", "visibility", "opacity", "color", "backgroundColor",
                    "backgroundImage", "fontSize", "fontWeight", "textShadow", "position"];
    const has_words = (one) => [...one.childNodes].some((part) =>
        part.nodeType === Node.TEXT_NODE && part.textContent.trim());
    const shape = (one) => {
        const style = getComputedStyle(one), known = new Set();
        const inside = [...one.children].map((child) => {
            const its = shape(child);
            child.toggleAttribute("data-alike", known.has(its));
            known.add(its);
            return its;
        });
        return `<${one.tagName} ${styles.map((name) => style[name])} ${has_words(one)} ${inside}>`;
    };
    const only = { resultTypes: ["violations"] };
    const rest = await axe.run({ ...only, rules: { "color-contrast": { enabled: false } } });
    shape(document.body);
    const contrast = await axe.run({ exclude: ["[data-alike]"] },
                                   { ...only, runOnly: ["color-contrast"] });
    return [...rest.violations, ...contrast.violations]
        .filter((one) => grave.includes(one.impact))
        .flatMap((one) => one.nodes.map((node) => `${one.id} ${node.target}`));
}"""


def grave_findings(page: Page) -> list[str]:
    """Rule and element of each."""
    page.evaluate(Axe().axe_script)
    found: list[str] = page.evaluate(EXAMINE, GRAVE)
    return found
