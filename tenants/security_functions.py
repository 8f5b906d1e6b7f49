"""The look-ups that must come before a tenant is known: named, minimal, run as the staff role."""

# Each runs as the staff role (SECURITY DEFINER), may be called by the app role only, and returns
# nothing about money.
FUNCTIONS: dict[str, str] = {
    # Which workspaces may this person enter, and as what?
    "tenants_of_user(wanted bigint)": """
        RETURNS TABLE (tenant_id uuid, slug varchar, name varchar, status varchar, role varchar)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.id, t.slug, t.name, t.status, m.role
            FROM tenants_membership m JOIN tenants_tenant t ON t.id = m.tenant_id
            WHERE m.user_id = wanted
            ORDER BY m.id
        $$
    """,
    # Is this short name of a workspace taken?
    "tenant_slug_exists(wanted varchar)": """
        RETURNS boolean
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT EXISTS (SELECT 1 FROM tenants_tenant WHERE slug = wanted)
        $$
    """,
    # Which engines exist, and which should run? The fleet's work list.
    "engine_work_list()": """
        RETURNS TABLE (engine_id uuid, tenant_id uuid, tenant varchar, venue varchar,
                       label varchar, desired varchar, observed varchar, heartbeat_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT e.id, e.tenant_id, t.slug, a.venue, a.label, e.desired, e.observed,
                   e.heartbeat_at
            FROM trading_engine e
            JOIN tenants_tenant t ON t.id = e.tenant_id
            JOIN tenants_exchangeaccount a ON a.id = e.account_id
            ORDER BY t.slug, a.venue, a.label
        $$
    """,
    # Which runs wait for a worker, or lost theirs? The beat's work list.
    "research_work_list()": """
        RETURNS TABLE (run_id uuid, tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT id, tenant_id FROM trading_backtestrun
            WHERE status = 'QUEUED' OR (status = 'RUNNING' AND lease_until < now())
            ORDER BY created_at, id
        $$
    """,
}
