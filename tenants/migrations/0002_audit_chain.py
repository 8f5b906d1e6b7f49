"""Every audit entry is numbered and linked to the one before it, whoever inserts it.

What the inserting statement says of number and hashes is overwritten. One writer of a workspace at
a time; one that sees an older state of the table (a repeatable read) meets the unique number
instead of forking the chain. The search path is fixed, so that no temporary table of the app role
can stand in for the log.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION chained_text(said text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT int4send(octet_length(convert_to(said, 'UTF8'))) || convert_to(said, 'UTF8')
$$;
CREATE FUNCTION link_audit_entry() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    newest record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.tenant_id::text, 7));
    SELECT sequence, hash INTO newest FROM tenants_auditentry
    WHERE tenant_id = NEW.tenant_id ORDER BY sequence DESC LIMIT 1;
    NEW.sequence := coalesce(newest.sequence, 0) + 1;
    NEW.previous_hash := coalesce(newest.hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := sha256(
        NEW.previous_hash
        || chained_text(NEW.tenant_id::text)
        || chained_text((extract(epoch FROM NEW.at) * 1000000)::bigint::text)
        || chained_text(coalesce(NEW.actor_id::text, ''))
        || chained_text(NEW.actor_label)
        || chained_text(NEW.action)
        || chained_text(NEW.subject)
        || chained_text(NEW.before::text)
        || chained_text(NEW.after::text)
    );
    RETURN NEW;
END $$;
CREATE TRIGGER link_entry BEFORE INSERT ON tenants_auditentry
    FOR EACH ROW EXECUTE FUNCTION link_audit_entry();
"""
DROP = """
DROP TRIGGER link_entry ON tenants_auditentry;
DROP FUNCTION link_audit_entry();
DROP FUNCTION chained_text(text);
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
