"""Static files, named by their content and compressed once; by their plain names until collected."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    """Collects what a page of ours asks for: no source maps, no pages of packages we do not show."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "redoc", "rest_framework"]


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Kept by a browser for good: another content has another name."""

    # What a style sheet loads; a source map, which is not collected, is not looked for.
    patterns = tuple(
        (files, found[:2])
        for files, found in CompressedManifestStaticFilesStorage.patterns
        if files == "*.css"
    )

    def stored_name(self, name: str) -> str:
        """The collected name, or the plain one while nothing is collected (tests, manage.py)."""
        return str(super().stored_name(name)) if self.hashed_files else name
