"""Each posting sums to zero in every currency, checked when its transaction commits."""

from django.db import migrations

CREATE = """
CREATE FUNCTION check_posting_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT currency, sum(amount) AS total INTO wrong
    FROM trading_ledgerentry WHERE posting = NEW.posting
    GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % does not sum to zero: % % too much',
            NEW.posting, wrong.total, wrong.currency
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_sums_to_zero AFTER INSERT ON trading_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_posting_sum();
"""
DROP = """
DROP TRIGGER posting_sums_to_zero ON trading_ledgerentry;
DROP FUNCTION check_posting_sum();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
