"""novapulse.settings on the tests' own servers: fast hasher, letters kept in memory."""

import os

from tests import servers

os.environ.update(servers.environment())

from novapulse.settings import *  # noqa: F403 - the environment must stand first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
