"""A run keeps everything its page draws, not equity alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_limits")]
    operations = [
        migrations.RenameField("backtestrun", "equity", "charts"),
        migrations.AlterField(
            "backtestrun",
            "charts",
            models.BinaryField(blank=True, help_text="what its page draws, packed", null=True),
        ),
    ]
