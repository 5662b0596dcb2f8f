"""The alarm in the admin: events to read, and codes to set but never to see."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator

from alarm.codes import MAX_LENGTH, MIN_LENGTH, hashed
from alarm.models import AlarmCode, AlarmEvent
from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, by
from retention.admin import RecordAdmin


@admin.register(AlarmEvent)
class AlarmEventAdmin(RecordAdmin):
    """What happened."""

    time = "created_at"
    created = staticmethod(display.moment_of("created_at", "when"))
    list_display = ["created", "kind", "message", "who"]
    list_filter = [ByTime, by("kind", is_indexed=True), by("source")]
    search_fields = ["message", "source"]
    fields = ["created", "kind", "message", "who", "what_else"]
    readonly_fields = ["created", "who", "what_else"]

    @admin.display(description="by")
    def who(self, event: AlarmEvent) -> str:
        """Show who says so, with a link to a rule that does."""
        return display.reference(event.source) or display.NOTHING

    @admin.display(description="details")
    def what_else(self, event: AlarmEvent) -> str:
        """Show the details as people write them."""
        return display.indented(event.details)


class AlarmCodeForm(forms.ModelForm):
    """A code goes in and never comes out: of a stored one nobody can read more than whose it is."""

    code = forms.CharField(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        validators=[RegexValidator(r"^[0-9]+\Z", "Digits only.")],
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=f"{MIN_LENGTH} to {MAX_LENGTH} digits; six are much harder to guess than four",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["code"].required = False
            self.fields["code"].help_text = "Leave it empty to keep the present code"

    def clean_code(self) -> str:
        """Refuse a code that somebody else has: events would name the wrong person."""
        code: str = self.cleaned_data["code"]
        if code and AlarmCode.objects.filter(hash=hashed(code)).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Choose another code: this one is taken.")
        return code

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        if code := self.cleaned_data["code"]:
            self.instance.hash = hashed(code)
        return super().save(commit)


@admin.register(AlarmCode)
class AlarmCodeAdmin(admin.ModelAdmin):
    """Who has a code, and what it is good for."""

    form = AlarmCodeForm
    fields = ["label", "code", "enabled", "may_arm", "may_disarm", "user", "valid_until"]
    list_display = ["label", "enabled", "may_arm", "may_disarm", "user", "valid_until"]
    list_filter = ["enabled"]
    list_select_related = ["user"]
    search_fields = ["label"]
