"""The look-ups that must come before a tenant is known: named, minimal, run as the staff role."""

# Each runs as the staff role (SECURITY DEFINER), may be called by the app role only, and returns
# nothing about money.
FUNCTIONS: dict[str, str] = {
    # Which workspaces may this person enter, and as what?
    "tenants_of_user(wanted bigint)": """
        RETURNS TABLE (tenant_id uuid, slug varchar, name varchar, status varchar, role varchar,
                       status_reason varchar)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.id, t.slug, t.name, t.status, m.role, t.status_reason
            FROM tenants_membership m JOIN tenants_tenant t ON t.id = m.tenant_id
            WHERE m.user_id = wanted
            ORDER BY m.id
        $$
    """,
    # Where does this API key lead, and as whose? Only while its maker is a member.
    "tenant_of_api_key(wanted varchar)": """
        RETURNS TABLE (key_id uuid, user_id bigint, scope varchar, expires_at timestamptz,
                       tenant_id uuid, slug varchar, name varchar, status varchar, role varchar,
                       status_reason varchar)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT k.id, k.user_id, k.scope, k.expires_at, t.id, t.slug, t.name, t.status, m.role,
                   t.status_reason
            FROM tenants_apikey k
            JOIN tenants_tenant t ON t.id = k.tenant_id
            JOIN tenants_membership m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
            JOIN tenants_user u ON u.id = k.user_id AND u.is_active
            WHERE k.digest = wanted AND k.revoked_at IS NULL AND t.status <> 'CLOSED'
              AND (k.expires_at IS NULL OR k.expires_at > now())
        $$
    """,
    # Which open invitation does a letter's link belong to? Only while its sender is a member.
    "invitation_of_token(wanted varchar, moment timestamptz)": """
        RETURNS TABLE (tenant_id uuid, workspace varchar, status varchar, status_reason varchar,
                       email varchar, role varchar, inviter varchar, inviter_role varchar,
                       expires_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.id, t.name, t.status, t.status_reason, i.email, i.role, u.email, m.role,
                   i.expires_at
            FROM tenants_invitation i
            JOIN tenants_tenant t ON t.id = i.tenant_id
            JOIN tenants_membership m ON m.tenant_id = i.tenant_id AND m.user_id = i.invited_by_id
            JOIN tenants_user u ON u.id = i.invited_by_id AND u.is_active
            WHERE i.digest = wanted AND i.state = 'OPEN' AND i.expires_at > moment
              AND t.status <> 'CLOSED'
        $$
    """,
    # Which workspaces have invitations that nobody took up in time? The beat's work list.
    "invitation_work_list(moment timestamptz)": """
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT DISTINCT tenant_id FROM tenants_invitation
            WHERE state = 'OPEN' AND expires_at <= moment
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
    # Which engines are of a workspace that is not active, or still held for one that was not?
    "standing_work_list()": """
        RETURNS TABLE (tenant_id uuid, engine_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT e.tenant_id, e.id
            FROM trading_engine e JOIN tenants_tenant t ON t.id = e.tenant_id
            WHERE t.status <> 'ACTIVE'
               OR EXISTS (SELECT FROM trading_hold h WHERE h.engine_id = e.id
                          AND h.cleared_at IS NULL AND h.kind = 'BILLING')
               OR EXISTS (SELECT FROM trading_enginecommand c WHERE c.engine_id = e.id
                          AND c.finished_at IS NULL AND c.kind IN ('HOLD_LAPSED', 'HOLD_SUSPENDED'))
            ORDER BY e.tenant_id, e.id
        $$
    """,
    # Which exchange keys exist, and which checks are due? The beat's and the fleet's work list.
    "credential_work_list()": """
        RETURNS TABLE (tenant_id uuid, credential_id uuid, check_asked_at timestamptz,
                       checked_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT tenant_id, id, check_asked_at, checked_at FROM tenants_exchangecredential
            WHERE state <> 'DISABLED'
            ORDER BY check_asked_at, id
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
    # Which workspaces may have news to tell? The beat's round.
    "tenant_work_list()": """
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT id FROM tenants_tenant WHERE status <> 'CLOSED' ORDER BY created_at, id
        $$
    """,
    # Which workspaces have letters or webhooks that are due? The beat's work list.
    "delivery_work_list(wanted timestamptz)": """
        RETURNS TABLE (tenant_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT tenant_id FROM tenants_delivery
            WHERE state = 'PENDING' AND due_at <= wanted
            GROUP BY tenant_id ORDER BY min(due_at)
        $$
    """,
}
