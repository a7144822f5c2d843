"""The columns `rating` and `review_count` are called what they are: stored; nothing changes in the database."""

from django.db import migrations, models
from django.db.models import Q

RANGE = "product_rating_range"


class Migration(migrations.Migration):

    dependencies = [("catalogue", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("product", RANGE),
                migrations.RenameField("product", "rating", "stored_rating"),
                migrations.RenameField("product", "review_count", "stored_review_count"),
                migrations.AlterField(
                    "product",
                    "stored_rating",
                    models.DecimalField(db_column="rating", decimal_places=2, default=0, max_digits=3),
                ),
                migrations.AlterField(
                    "product",
                    "stored_review_count",
                    models.PositiveIntegerField(db_column="review_count", default=0),
                ),
                migrations.AddConstraint(
                    "product",
                    models.CheckConstraint(
                        condition=Q(stored_rating__gte=0, stored_rating__lte=5), name=RANGE
                    ),
                ),
            ],
        ),
    ]
