"""Orders say which way they came; those that the earlier release writes get the database's own default."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that the earlier release needs not know."""

    dependencies = (("orders", "0002_confirmation_invoice"),)
    operations = (
        migrations.AddField(
            "order", "channel", models.CharField(max_length=20, default="web", db_default="shop")
        ),
    )
