"""Runs and trials of research; a run that has ended stays as it is, and none is ever deleted."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

CREATE = """
CREATE FUNCTION keep_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'runs are never deleted: each counts as a try'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.id, OLD.number, OLD.kind, OLD.request, OLD.params_hash, OLD.seed, OLD.created_at)
        IS DISTINCT FROM
       (NEW.id, NEW.number, NEW.kind, NEW.request, NEW.params_hash, NEW.seed, NEW.created_at)
       OR OLD.requested_by_id IS DISTINCT FROM NEW.requested_by_id THEN
        RAISE EXCEPTION 'what run % was asked never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status IN ('DONE', 'FAILED', 'CANCELLED')
       AND to_jsonb(OLD) - 'archived_at' IS DISTINCT FROM to_jsonb(NEW) - 'archived_at' THEN
        RAISE EXCEPTION 'run % has ended and never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_run BEFORE UPDATE OR DELETE ON trading_backtestrun
    FOR EACH ROW EXECUTE FUNCTION keep_run();
CREATE TRIGGER keep_runs BEFORE TRUNCATE ON trading_backtestrun
    FOR EACH STATEMENT EXECUTE FUNCTION keep_run();
"""
DROP = """
DROP TRIGGER keep_run ON trading_backtestrun;
DROP TRIGGER keep_runs ON trading_backtestrun;
DROP FUNCTION keep_run();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0001_initial'),
        ('trading', '0002_posting_sums'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BacktestRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text='counts every try of this tenant')),
                ('kind', models.CharField(choices=[('BACKTEST', 'Backtest'), ('SWEEP', 'Sweep'), ('WALK_FORWARD', 'Walk-forward'), ('LOOKAHEAD', 'Look-ahead analysis')], max_length=12)),
                ('status', models.CharField(choices=[('QUEUED', 'Queued'), ('RUNNING', 'Running'), ('DONE', 'Done'), ('FAILED', 'Failed'), ('CANCELLED', 'Cancelled')], default='QUEUED', max_length=9)),
                ('request', models.JSONField()),
                ('params_hash', models.CharField(max_length=64)),
                ('seed', models.PositiveBigIntegerField(default=0)),
                ('data_hash', models.CharField(blank=True, help_text='of the bars and grids used', max_length=64)),
                ('core_hash', models.CharField(blank=True, max_length=64)),
                ('trials', models.PositiveIntegerField(default=0, help_text='parameter sets tried')),
                ('done', models.PositiveIntegerField(default=0, help_text='evaluations finished')),
                ('total', models.PositiveIntegerField(default=0, help_text='evaluations planned')),
                ('facts', models.JSONField(blank=True, help_text='the result without its trades', null=True)),
                ('result', models.BinaryField(blank=True, help_text='the whole result, packed', null=True)),
                ('result_hash', models.CharField(blank=True, max_length=64)),
                ('equity', models.BinaryField(blank=True, help_text='equity over time, packed', null=True)),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('worker', models.CharField(blank=True, max_length=120)),
                ('attempt', models.PositiveIntegerField(default=0, help_text='claims since the last progress')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='BacktestTrial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('window', models.PositiveIntegerField(default=0)),
                ('sample', models.CharField(choices=[('IN', 'In sample'), ('OUT', 'Out of sample'), ('PROBE', 'Probe')], max_length=5)),
                ('index', models.PositiveIntegerField()),
                ('values', models.JSONField(help_text="what differs from the run's parameters")),
                ('metrics', models.JSONField(blank=True, null=True)),
                ('error', models.TextField(blank=True, help_text='why there are no metrics')),
                ('daily', models.BinaryField(help_text='daily returns, packed')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trial_rows', to='trading.backtestrun')),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.AddIndex(
            model_name='backtestrun',
            index=models.Index(condition=models.Q(('status__in', ['QUEUED', 'RUNNING'])), fields=['created_at'], name='run_unfinished'),
        ),
        migrations.AddConstraint(
            model_name='backtestrun',
            constraint=models.UniqueConstraint(fields=('tenant', 'number'), name='run_number'),
        ),
        migrations.AddConstraint(
            model_name='backtestrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'DONE'), _negated=True), models.Q(('facts__isnull', False), ('finished_at__isnull', False), ('result__isnull', False)), _connector='OR'), name='run_done_has_a_result'),
        ),
        migrations.AddConstraint(
            model_name='backtesttrial',
            constraint=models.UniqueConstraint(fields=('tenant', 'run', 'window', 'sample', 'index'), name='trial_once'),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
