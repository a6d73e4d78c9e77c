-- What pgcrypto is mostly used for, in SQL: hashes, random bytes. What SQL cannot do says so when it is called.

CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT pg_catalog.gen_random_uuid() $$;

CREATE FUNCTION gen_random_bytes(count integer) RETURNS bytea LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        made bytea := '';
    BEGIN
        IF count < 1 OR count > 1024 THEN
            RAISE EXCEPTION 'Length not in range' USING ERRCODE = 'external_routine_invocation_exception';
        END IF;
        WHILE pg_catalog.length(made) < count LOOP
            made := made || pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
                                              || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
        END LOOP;
        RETURN pg_catalog.substr(made, 1, count);
    END $$;

CREATE FUNCTION digest(data bytea, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        message bytea;
        hash bytea;
        blocks bytea;
        w bigint[];
        mask constant bigint := 4294967295;
        h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
        a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint; x bigint;
    BEGIN
        CASE pg_catalog.lower(type)
            WHEN 'md5' THEN RETURN pg_catalog.decode(pg_catalog.md5(data), 'hex');
            WHEN 'sha224' THEN RETURN pg_catalog.sha224(data);
            WHEN 'sha256' THEN RETURN pg_catalog.sha256(data);
            WHEN 'sha384' THEN RETURN pg_catalog.sha384(data);
            WHEN 'sha512' THEN RETURN pg_catalog.sha512(data);
            WHEN 'sha1' THEN message := data;
            ELSE RAISE EXCEPTION 'Cannot use "%": No such hash algorithm', type USING ERRCODE = 'invalid_parameter_value';
        END CASE;
        blocks := message || '\x80'::bytea;
        blocks := blocks || pg_catalog.decode(pg_catalog.repeat('00', (120 - pg_catalog.length(blocks) % 64) % 64), 'hex')
            || pg_catalog.int8send(pg_catalog.length(message)::bigint * 8);
        FOR block IN 0 .. pg_catalog.length(blocks) / 64 - 1 LOOP
            w := NULL;
            FOR n IN 0 .. 15 LOOP
                x := 0;
                FOR m IN 0 .. 3 LOOP
                    x := x * 256 + pg_catalog.get_byte(blocks, block * 64 + n * 4 + m);
                END LOOP;
                w[n] := x;
            END LOOP;
            FOR n IN 16 .. 79 LOOP
                x := w[n - 3] # w[n - 8] # w[n - 14] # w[n - 16];
                w[n] := ((x << 1) & mask) | (x >> 31);
            END LOOP;
            a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
            FOR n IN 0 .. 79 LOOP
                IF n < 20 THEN f := (b & c) | ((b # mask) & d); k := 1518500249;
                ELSIF n < 40 THEN f := b # c # d; k := 1859775393;
                ELSIF n < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
                ELSE f := b # c # d; k := 3395469782;
                END IF;
                t := ((((a << 5) & mask) | (a >> 27)) + f + e + k + w[n]) & mask;
                e := d; d := c; c := ((b << 30) & mask) | (b >> 2); b := a; a := t;
            END LOOP;
            h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
        END LOOP;
        hash := '';
        FOR n IN 1 .. 5 LOOP
            hash := hash || pg_catalog.substr(pg_catalog.int8send(h[n]), 5, 4);
        END LOOP;
        RETURN hash;
    END $$;
CREATE FUNCTION digest(data text, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$ BEGIN RETURN digest(pg_catalog.convert_to(data, 'UTF8'), type); END $$;

CREATE FUNCTION hmac(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$
    DECLARE
        block integer := CASE WHEN pg_catalog.lower(type) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
        k bytea := key;
        inner_pad bytea := '';
        outer_pad bytea := '';
        byte integer;
    BEGIN
        IF pg_catalog.length(k) > block THEN
            k := digest(k, type);
        END IF;
        FOR n IN 0 .. block - 1 LOOP
            byte := CASE WHEN n < pg_catalog.length(k) THEN pg_catalog.get_byte(k, n) ELSE 0 END;
            inner_pad := inner_pad || pg_catalog.set_byte('\x00'::bytea, 0, byte # 54);
            outer_pad := outer_pad || pg_catalog.set_byte('\x00'::bytea, 0, byte # 92);
        END LOOP;
        RETURN digest(outer_pad || digest(inner_pad || data, type), type);
    END $$;
CREATE FUNCTION hmac(data text, key text, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$ BEGIN RETURN hmac(pg_catalog.convert_to(data, 'UTF8'), pg_catalog.convert_to(key, 'UTF8'), type); END $$;

CREATE FUNCTION crypt(password text, salt text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'crypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION gen_salt(type text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'gen_salt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION gen_salt(type text, rounds integer) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'gen_salt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION encrypt(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'encrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION decrypt(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'decrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION encrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'encrypt_iv() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION decrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'decrypt_iv() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_sym_encrypt(data text, password text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_sym_encrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_sym_encrypt(data text, password text, options text) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_sym_encrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_sym_decrypt(message bytea, password text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_sym_decrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_sym_decrypt(message bytea, password text, options text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_sym_decrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_pub_encrypt(data text, key bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_pub_encrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
CREATE FUNCTION pgp_pub_decrypt(message bytea, key bytea) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION 'pgp_pub_decrypt() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$;
