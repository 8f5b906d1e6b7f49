"""Form fields in the look of the pages."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def look(field: BoundField) -> SafeString:
    """The field's widget with the class its kind has, and its errors announced."""
    kind = getattr(field.field.widget, "input_type", "")
    css = {"checkbox": "form-check-input", "select": "form-select"}.get(kind, "form-control")
    attributes: dict[str, str | bool] = {"class": f"{css} is-invalid" if field.errors else css}
    return field.as_widget(attrs=attributes)
