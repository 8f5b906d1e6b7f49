#!/bin/sh
# The owner of the tables is no superuser: a superuser would walk through row-level security.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$OWNER_PASSWORD" --username=postgres <<'SQL'
CREATE ROLE novapulse LOGIN CREATEDB CREATEROLE PASSWORD :'password';
CREATE DATABASE novapulse OWNER novapulse;
SQL
