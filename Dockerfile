# One image, many commands. Compiles the decision core while it is built, so that no engine waits.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    NOVA_STATIC_DIR=/srv/static NOVA_DATA_DIR=/data
WORKDIR /srv/novapulse

COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir -r requirements/base.txt

COPY . .
RUN useradd --system --uid 10001 --home-dir /data --create-home novapulse \
    && install -d -o novapulse -g novapulse /data \
    && python manage.py collectstatic --no-input \
    && su -s /bin/sh -c "python manage.py warm_core" novapulse

USER novapulse
VOLUME /data
CMD ["gunicorn", "novapulse.wsgi:application", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4"]
