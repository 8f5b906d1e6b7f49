"""Each posting sums to zero in every currency.

Checked over the rows a statement adds, so a posting is written whole by one statement, and the
check needs to read nothing that row-level security could hide from it.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION check_posting_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT posting, currency, sum(amount) AS total INTO wrong
    FROM added GROUP BY posting, currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % does not sum to zero: % % too much',
            wrong.posting, wrong.total, wrong.currency
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_sums_to_zero AFTER INSERT ON trading_ledgerentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_posting_sum();
"""
DROP = """
DROP TRIGGER posting_sums_to_zero ON trading_ledgerentry;
DROP FUNCTION check_posting_sum();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
