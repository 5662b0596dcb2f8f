"""The form of a rule: a definition is written as JSON, and a mistake is told with its place and line."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.forms.widgets import Script
from django.urls import reverse

from rules.models import Rule
from rules.preview import preview, tidy


class DefinitionEditor(forms.Textarea):
    """A text area that says beneath what the definition means; with the script ``editor.js`` while one types."""

    template_name = "rules/editor.html"

    class Media:
        css = {"all": ["asyncsched/admin.css", "rules/editor.css"]}
        js = [Script("rules/editor.js", type="module")]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        words = preview(value).in_words if value else ()
        return context | {"check_url": reverse("admin:rules_rule_check"), "words": "\n".join(words)}


class DefinitionField(forms.JSONField):
    """JSON that a rule can be made of."""

    widget = DefinitionEditor

    def clean(self, value: Any) -> Any:
        """Return the decoded definition. Raises ValidationError with the place and line of what is wrong with it."""
        text = value or ""
        if mistakes := preview(text).mistakes if text.strip() else ():
            raise ValidationError([str(mistake) for mistake in mistakes])
        return super().clean(value)

    def to_python(self, value: Any) -> Any:
        """Return *value* decoded. Raises ValidationError also for what makes Python's decoder give up."""
        try:
            return super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the text as it was sent, so that the lines of mistakes stay true."""
        return InvalidJSONInput(data) if data else data

    def prepare_value(self, value: Any) -> Any:
        """Return the text to be edited."""
        return value if value is None or isinstance(value, InvalidJSONInput) else tidy(value)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A rule, as people write it."""

    definition = DefinitionField(
        help_text="In JSON: when what comes true, and for how long, then do what. "
        "Tab indents; to leave the field by it press Escape before."
    )

    class Meta:
        model = Rule
        fields = ["name", "enabled", "definition", "cooldown_seconds"]

    def add_error(self, field: str | None, error: Any) -> None:
        """Tell of a mistake, but of the definition only once: the model says the same again, without the line."""
        if field is None and self.has_error("definition"):
            getattr(error, "error_dict", {}).pop("definition", None)
        super().add_error(field, error)
