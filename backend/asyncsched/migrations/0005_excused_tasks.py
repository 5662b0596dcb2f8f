from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('asyncsched', '0004_what_the_page_shows'),
    ]

    operations = [
        migrations.AddField(
            model_name='taskstate',
            name='excused_until',
            field=models.DateTimeField(help_text='Until then none was expected: it was paused, or its enabled_when said no', null=True),
        ),
    ]
