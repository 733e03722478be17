"""Settings of the workbench, all from environment variables; the README lists them in one table."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from workbench import databases, databricks_apps, oidc
from workbench.admin_look import UNFOLD as UNFOLD
from workbench.env import bare_host, env_bool, env_choice, env_headers, env_int, env_origin, env_price, env_str, env_url
from workbench.secret_files import kept_secret

# Lets classes such as ModelAdmin take their model in brackets, for the type checker.
django_stubs_ext.monkeypatch()

IN_DATABRICKS_APPS = databricks_apps.inside(os.environ)
if IN_DATABRICKS_APPS:
    databricks_apps.require(os.environ)
OIDC = oidc.configured(
    issuer=env_url("WORKBENCH_OIDC_ISSUER", "", schemes=("https", "http")),
    client_id=env_str("WORKBENCH_OIDC_CLIENT_ID"),
    client_secret=env_str("WORKBENCH_OIDC_CLIENT_SECRET"),
    name=env_str("WORKBENCH_OIDC_NAME", "single sign-on"),
    scopes=env_str("WORKBENCH_OIDC_SCOPES", "openid profile email"),
    groups_claim=env_str("WORKBENCH_OIDC_GROUPS_CLAIM", "groups"),
    roles=env_str("WORKBENCH_OIDC_ROLES"),
)
if OIDC and IN_DATABRICKS_APPS:
    raise ImproperlyConfigured("WORKBENCH_OIDC_ISSUER has no meaning in Databricks Apps, whose proxy signs users in.")
PORT = env_int("DATABRICKS_APP_PORT", 8000, at_least=1, at_most=65_535)

# A century: times further away than the calendar goes cannot be computed.
MOST_DAYS = 36_500
BASE_DIR = Path(__file__).resolve().parent.parent
_home = Path(tempfile.gettempdir(), "workbench") if IN_DATABRICKS_APPS else BASE_DIR / "var"
VAR_DIR = Path(env_str("WORKBENCH_VAR_DIR", str(_home))).absolute()

DEBUG = env_bool("WORKBENCH_DEBUG", False)
PUBLIC_URL = env_origin("WORKBENCH_PUBLIC_URL", "http://127.0.0.1:8000")
HTTPS = PUBLIC_URL.startswith("https://")


STATIC_ROOT = VAR_DIR / "static"
try:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"WORKBENCH_VAR_DIR={str(VAR_DIR)!r} cannot be written: {error.strerror}.") from error


def _secret_key() -> str:
    """Return WORKBENCH_SECRET_KEY, else a random key kept in a file that only its owner can read."""
    key = env_str("WORKBENCH_SECRET_KEY")
    if key:
        return key
    return kept_secret(VAR_DIR / "secret_key", 64)


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = [bare_host(urlsplit(PUBLIC_URL)), "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "training",
    "labels",
    "templates_app",
    "sheets",
    "governance",
    "workbench",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    *(oidc.APPS if OIDC else []),
]
MIDDLEWARE = [
    "workbench.after_answer.AfterAnswerMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "workbench.refusals.RefusalMiddleware",
    "workbench.nul.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workbench.forwarded.ForwardedUserMiddleware" if IN_DATABRICKS_APPS else "workbench.sessions.SessionEndMiddleware",
    "workbench.same_user.SameUserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    *(["allauth.account.middleware.AccountMiddleware"] if OIDC else []),
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "workbench.urls"
WSGI_APPLICATION = "workbench.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LAKEHOUSE_URL = env_url(
    "WORKBENCH_LAKEHOUSE_URL", f"delta://{quote(str(VAR_DIR / 'lakehouse'))}", schemes=tuple(databases.LAKEHOUSE_KINDS)
)
DATABASE_URL = env_url(
    "WORKBENCH_DATABASE_URL",
    (databricks_apps.database_url(os.environ) if IN_DATABRICKS_APPS else "")
    or f"sqlite://{quote(str(VAR_DIR / 'workbench.sqlite3'))}",
    schemes=tuple(databases.DEFAULT_KINDS),
)
DATABASES = {"default": databases.default(DATABASE_URL), "lakehouse": databases.lakehouse(LAKEHOUSE_URL)}
DATABASE_ROUTERS = ["workbench.router.LakehouseRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Any OpenAI-compatible endpoint; without one, drafts come from the offline drafter.
LLM_URL = env_url("WORKBENCH_LLM_URL", "", schemes=("http", "https", "databricks"))
LLM_MODEL = env_str("WORKBENCH_LLM_MODEL")
LLM_API_KEY = env_str("WORKBENCH_LLM_API_KEY")
LLM_HEADERS = env_headers("WORKBENCH_LLM_HEADERS")
LLM_TIMEOUT = env_int("WORKBENCH_LLM_TIMEOUT", 120, at_least=1, at_most=86_400)
# Whether the model is shown an item's files; auto asks the endpoint.
LLM_VISION = env_choice("WORKBENCH_LLM_VISION", "auto", among=("auto", "yes", "no"))
# Quotas of the endpoint in calls and tokens a minute; 0 is without one.
LLM_RPM = env_int("WORKBENCH_LLM_RPM", 0, at_most=10**12)
LLM_TPM = env_int("WORKBENCH_LLM_TPM", 0, at_most=10**12)
if LLM_URL and not LLM_MODEL:
    raise ImproperlyConfigured(
        "WORKBENCH_LLM_URL is set without WORKBENCH_LLM_MODEL: name the model that it should use."
    )

# US dollars for a million tokens; None where the price is not known.
LLM_PRICE_PROMPT = env_price("WORKBENCH_LLM_PRICE_PROMPT")
LLM_PRICE_COMPLETION = env_price("WORKBENCH_LLM_PRICE_COMPLETION")

# A warehouse takes a second for what a directory does in milliseconds, so there a worker applies what was reviewed.
REVIEW_APPLY = env_choice(
    "WORKBENCH_REVIEW_APPLY", "inline" if LAKEHOUSE_URL.startswith("delta:") else "worker", among=("inline", "worker")
)

EXPORTS_DIR = VAR_DIR / "exports"
# A JSON file: who speaks in the conversations of training files.
CONSULTANT_PROFILE = env_str("WORKBENCH_CONSULTANT_PROFILE", str(BASE_DIR / "training/files/consultant_profile.json"))
# The volume of conversations and training files; made on first use. Empty: `training_files` beside the tables.
TRAINING_FILES = env_str("WORKBENCH_TRAINING_FILES")

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    *([oidc.BACKEND] if OIDC else []),
]
# Whom the proxy of Databricks Apps forwards has signed in there, and has no password here.
if IN_DATABRICKS_APPS:
    AUTHENTICATION_BACKENDS = ["workbench.forwarded.ForwardedUserBackend"]
if OIDC:
    SOCIALACCOUNT_PROVIDERS = OIDC["providers"]
    SOCIALACCOUNT_ADAPTER = "workbench.oidc_users.FromClaims"
    SOCIALACCOUNT_ONLY = True
    ACCOUNT_ADAPTER = "workbench.oidc_users.NoSignUp"
    ACCOUNT_EMAIL_VERIFICATION = "none"
    # An address that somebody has already must not sign another in as them, nor keep that other out.
    ACCOUNT_UNIQUE_EMAIL = SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
OWNERS = frozenset(env_str("WORKBENCH_OWNERS").lower().replace(",", " ").split())
NEW_USERS_GROUP = env_str("WORKBENCH_NEW_USERS_GROUP")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# After so many failures with one name from one address both together are locked, for so many minutes.
AXES_ENABLED = not IN_DATABRICKS_APPS
AXES_FAILURE_LIMIT = env_int("WORKBENCH_LOCKOUT_FAILURES", 10, at_least=1)
LOCKOUT_MINUTES = env_int("WORKBENCH_LOCKOUT_MINUTES", 15, at_least=1)
AXES_COOLOFF_TIME = timedelta(minutes=LOCKOUT_MINUTES)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "workbench.lockout.locked_out"
AXES_CLIENT_IP_CALLABLE = "workbench.addresses.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

TOKEN_DAYS = env_int("WORKBENCH_TOKEN_DAYS", 90, at_least=1, at_most=MOST_DAYS)
TOKEN_DAYS_AT_MOST = max(TOKEN_DAYS, 366)
REFUSALS_DAYS = env_int("WORKBENCH_REFUSALS_DAYS", 90, at_least=1, at_most=MOST_DAYS)
# Requests to the API a minute, for each user, token, address without sign-in, and address that tries passwords; 0: any.
RATES = {
    "user": env_int("WORKBENCH_RATE_USER", 3000),
    "token": env_int("WORKBENCH_RATE_TOKEN", 3000),
    "address": env_int("WORKBENCH_RATE_ADDRESS", 120),
    "sign_in": env_int("WORKBENCH_RATE_SIGN_IN", 30),
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "workbench.formats"
USE_TZ = True

STATIC_URL = "static/"
# Files are found where they lie when the server runs from a checkout; `serve_app` collects them, under hashed names.
WHITENOISE_USE_FINDERS = not IN_DATABRICKS_APPS
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IN_DATABRICKS_APPS
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "workbench.api.authentication.TokenAuthentication",
        "workbench.forwarded.ForwardedAuthentication"
        if IN_DATABRICKS_APPS
        else "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": [f"workbench.api.rates.{name}Rate" for name in ("User", "Token", "Address")],
    "DEFAULT_PERMISSION_CLASSES": ["workbench.api.permissions.MayWrite"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "workbench.api.negotiation.AnyAccept",
    "DEFAULT_PARSER_CLASSES": ["workbench.api.parsing.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": [
        "workbench.api.permissions.VisibleRows",
        "workbench.api.filtering.VisibleFilterBackend",
    ],
    "DEFAULT_PAGINATION_CLASS": "workbench.api.paging.KeyCursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # `format` is an option of exports, not of how an answer is written.
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "workbench.api.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Training Dataset Workbench",
    "DESCRIPTION": "Sheets, templates, canonical labels, training sheets and their export.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "TemplateStatus": "templates_app.models.PromptTemplate.Status",
        "TrainingSheetStatus": "training.models.TrainingSheet.Status",
        "PairStatus": "training.models.QAPair.Status",
        "JobStatus": "training.models.JobRun.Status",
        "TrainingSheetMode": "training.models.TrainingSheet.Mode",
        "PairMode": "training.models.QAPair.Mode",
        "ReviewEventAction": "training.models.ReviewEvent.Action",
        "OpinionStatus": "labels.models.LabelOpinion.Status",
        "Use": "governance.uses.USES",
        "HeldFor": "governance.models.HeldOutItem.Use",
        "AuditKind": "governance.models.UsageConstraintAudit.Kind",
        "SensitiveKind": "governance.sensitive.detectors.CHOICES",
    },
}

# Who runs the work that is too long for a request, by a name of `training.jobs.dispatch`.
JOBS = env_str("WORKBENCH_JOBS", "queue")
# The saved job of the Databricks workspace that runs `manage.py run_job`, for WORKBENCH_JOBS=databricks.
JOBS_ID = env_int("WORKBENCH_JOBS_ID", 0, at_most=2**63 - 1)
# Seconds without a heartbeat after which a job's worker counts as dead and another may go on with the job.
JOB_LEASE = 30.0
# How long a link to an export holds, and from how many pairs on an export is a job.
EXPORT_LINK_SECONDS = 3600
EXPORT_JOB_PAIRS = 10_000
# When pairs are looked at for sensitive data: after their generation, or only when somebody asks.
FINDINGS = env_choice("WORKBENCH_FINDINGS", "generation", among=("generation", "ask"))
# A spaCy model's name or directory: with it Presidio looks for names and places as well.
PRESIDIO = env_str("WORKBENCH_PRESIDIO")
# Looking for sensitive data in up to so many pairs happens in the request, of more by a job. A model reads slowly.
FINDINGS_JOB_PAIRS = 30 if PRESIDIO else 300

# `retry` must exceed `timeout`, or the queue hands a task that still runs to a second worker. Jobs have no timeout: their
# lease tells whether they run, so that such a task ends at once.
Q_CLUSTER = {
    "name": "workbench",
    "orm": "default",
    "workers": env_int("WORKBENCH_WORKERS", 2, at_least=1),
    "timeout": 3600,
    "retry": 3900,
    "catch_up": False,
    "cache": "heartbeat",
    # Tasks that wait in a worker's memory are lost to the others when it is killed.
    "queue_limit": 1,
}
# Whether what is done after an answer is done by threads of its own, see `workbench.after_answer`.
AFTER_ANSWER_APART = True


def _in_files(name: str, most: int) -> dict[str, Any]:
    """Return a cache that all processes of this machine share."""
    return {"BACKEND": "workbench.kept_files.KeptFiles", "LOCATION": VAR_DIR / name, "OPTIONS": {"MAX_ENTRIES": most}}


_IN_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _IN_MEMORY},
    # The worker writes that it lives twice a second, for other processes to see; a file spares the database that.
    "heartbeat": _in_files("heartbeat", 300),
    # What the next items show, read before they are asked for.
    "ahead": _in_files("ahead", 2_000),
    # Lists of pairs as they were lately, some 100 kB each, and how far their review is.
    "pages": _in_files("pages", 500),
    # Web processes count requests together: an entry for each caller of the last minute. Each counts for itself as well.
    "rates": _in_files("rates", 10_000),
    "own_rates": {"BACKEND": _IN_MEMORY, "LOCATION": "own_rates", "OPTIONS": {"MAX_ENTRIES": 10_000}},
}

SESSION_COOKIE_AGE = 3600 * env_int("WORKBENCH_SESSION_HOURS", 12, at_least=1, at_most=24 * MOST_DAYS)
SESSION_IDLE = 60 * env_int("WORKBENCH_SESSION_IDLE_MINUTES", 120, at_least=1)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# The proxy of Databricks Apps speaks HTTPS only, and is not known to say so: a redirect could never end.
SECURE_SSL_REDIRECT = HTTPS and not IN_DATABRICKS_APPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env_bool("WORKBENCH_BEHIND_PROXY", IN_DATABRICKS_APPS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
USE_X_FORWARDED_HOST = IN_DATABRICKS_APPS

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
