--
-- PostgreSQL database dump
--

\restrict gN3fJ8kq

-- Dumped from database version 16.4
-- Dumped by pg_dump version 16.9

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);

ALTER TABLE public.customers OWNER TO shop_admin;

--
-- Data for Name: customers; Type: TABLE DATA; Schema: public; Owner: shop_admin
--

COPY public.customers (id, name) FROM stdin;
1	Ada
2	Grace; -- not a comment
3	\N
\.


GRANT SELECT ON TABLE public.customers TO reporting;

\unrestrict gN3fJ8kq
