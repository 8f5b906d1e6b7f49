"""Maps the typed environment to Django's names; no logic, no per-host files."""

from novapulse import databases, env, logs

ENV = env.load()
PROJECT_ROOT = env.PROJECT_ROOT
PRODUCTION = ENV.env == "production"

SECRET_KEY = ENV.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = [host.strip() for host in ENV.allowed_hosts.split(",") if host.strip()]
SITE_ID = 1

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "novapulse.static_files.StaticFiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tenants",
    "trading",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "novapulse.compression.CompressPages",
    "csp.middleware.CSPMiddleware",
    "novapulse.pooling.give_back",
    "tenants.middleware.StaffDatabaseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.TenantMiddleware",
]

ROOT_URLCONF = "novapulse.urls"
ASGI_APPLICATION = "novapulse.asgi.application"
WSGI_APPLICATION = "novapulse.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT_ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tenants.middleware.tenant_context",
            ]
        },
    }
]

DATABASES = databases.aliases(ENV)
DATABASE_ROLES_ARE_OURS = {
    "default": not ENV.database_app_url.get_secret_value(),
    "staff": not ENV.database_staff_url.get_secret_value(),
}
DATABASE_ROUTERS = ["tenants.scoping.StaffRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENV.redis_url.get_secret_value()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "np",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600

CELERY_BROKER_URL = databases.celery_redis_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "tenants.auth.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # an open session alone moves nobody's account elsewhere
ACCOUNT_EMAIL_NOTIFICATIONS = True  # password, address or second factor changed
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "NovaPulse: "
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_RATE_LIMITS = {
    "login": "20/15m/ip",
    # Later and later for one address, and open again after four quiet hours: a lock would be an attack.
    "login_failed": "5/15m/key,10/1h/key,20/4h/key,20/15m/ip",
    "signup": "20/h/ip",
    "reset_password": "20/15m/ip,5/15m/key",
}
# In production one proxy stands before us; elsewhere a forwarded address is anybody's claim.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PRODUCTION else 0
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "NovaPulse"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION

EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS = (
    databases.email_backend(ENV)
)
INVITATION_DAYS = ENV.invitation_days
NOTICES_KEPT_DAYS = ENV.notices_days
EMAIL_FILE_PATH = str(ENV.data_dir / "mailbox")
DEFAULT_FROM_EMAIL = ENV.email_from
EMAIL_TIMEOUT = 10
DEV_MAILBOX = not PRODUCTION and not ENV.email_url.get_secret_value()

PUBLIC_URL = ENV.public_url.rstrip("/")
WEBHOOK_LOOPBACK = ENV.webhook_loopback == "yes" and not PRODUCTION

DATA_DIR = ENV.data_dir
BARS_DIR = ENV.bars_dir or ENV.data_dir / "bars"
TAPE_DIR = ENV.tape_dir or ENV.data_dir / "tapes"
TAPE_BYTES = ENV.tape_megabytes << 20
TAPE_DAYS = ENV.tape_days
DEMO_BARS = ENV.demo_bars
DEMO_SPEED = ENV.demo_speed
DEMO_MARKET = ENV.demo_market
RECORDED_DIR = ENV.data_dir / "bars-recorded"
SIMULATOR_PORT = ENV.simulator_port
SHARED_FEEDS = tuple(ENV.shared_feeds.replace(",", " ").split())
KRAKEN_URLS = (ENV.kraken_rest_url, ENV.kraken_ws_url, ENV.kraken_ws_auth_url)
COINBASE_URLS = (ENV.coinbase_rest_url, ENV.coinbase_ws_url, ENV.coinbase_ws_user_url)
VAULT_KEK = ENV.vault_kek
VAULT_KEK_FILE = ENV.vault_kek_file or ENV.data_dir / "vault.keys"
ALLOW_LIVE = ENV.allow_live == "yes"
LEASE_SECONDS = (
    ENV.lease_seconds,
    ENV.lease_heartbeat_seconds,
    ENV.lease_self_stop_seconds,
)

VERSION = "0.1.0"
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "trading.api.reach.ReachSchema",
    "EXCEPTION_HANDLER": "tenants.api.problems.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": 1 if PRODUCTION else 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "NovaPulse API",
    "VERSION": "1",
    "DESCRIPTION": "Keys are made on the page API keys and sent as `X-API-Key`. Decimals are strings, "
    "times are UTC as ISO-8601 and again as epoch milliseconds, errors are RFC 9457 problems.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "BotStageEnum": "trading.models.Bot.Stage",
        "CommandKindEnum": "trading.models.EngineCommand.Kind",
        "HoldKindEnum": "trading.models.Hold.Kind",
        "EventKindEnum": "trading.queries.events.KINDS",
        "NoticeKindEnum": "tenants.models.Notice.Kind",
        "NoticeSeverityEnum": "tenants.models.Notice.Severity",
        "DecisionStageEnum": "trading.api.decision_answers.STAGES",
        "ProfileEnum": "trading.api.requests.PROFILE_NAMES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "trading.api.links.publish_links",
        "trading.api.stream_schema.publish_stream",
        "trading.api.described.describe",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    # A deep link would be a link inside of a button, which nobody but a mouse can tell apart.
    # Chapters begin closed: all routes at once are more than the page lays out, or a person finds.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": False,
        "docExpansion": "none",
        "filter": True,
        "persistAuthorization": False,
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [PROJECT_ROOT / "novapulse" / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [PROJECT_ROOT / "static"]
STATIC_ROOT = ENV.static_dir or ENV.data_dir / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "novapulse.static_files.HashedFiles"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = not PRODUCTION  # tests and manage.py, where nothing is collected
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
CSRF_TRUSTED_ORIGINS = [ENV.public_url] if ENV.public_url else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

LOGGING_CONFIG = None
logs.configure(level=ENV.log_level)
