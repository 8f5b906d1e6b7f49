"""A run that has ended stays as it is, and none is ever deleted."""

from django.db import migrations

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
    dependencies = [("trading", "0002_posting_sums")]
    operations = [migrations.RunSQL(CREATE, DROP)]
