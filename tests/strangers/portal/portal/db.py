import importlib
import os

import psycopg2


def settings():
    return importlib.import_module(os.environ["PORTAL_SETTINGS"])


def connect():
    of = settings().DATABASES["default"]
    return psycopg2.connect(
        host=of["HOST"], port=of["PORT"], user=of["USER"], password=of["PASSWORD"], dbname=of["NAME"]
    )
