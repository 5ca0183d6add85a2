#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Entries of other people on all hosts; outdated ones of our own on some: none on web1, one a name on app1, several on db1.
set -eu
cat >>/etc/hosts <<'LINES'
# facilities, ask before you change these
192.0.2.50 printer.corp.example printer
192.0.2.77	app10.corp.example app10
192.0.2.80 web1.lab.example
# app1.corp.example moved to the new rack in spring
LINES
case $(hostname) in
  app1)
    cat >>/etc/hosts <<'LINES'
10.20.0.10 web1.corp.example web1
10.20.0.11 app1.corp.example
LINES
    ;;
  db1)
    cat >>/etc/hosts <<'LINES'
10.20.0.11 app1.corp.example app1
10.20.0.13	db.corp.example
192.0.2.90 mail.corp.example mail
10.21.0.11	app1.corp.example	app1
10.21.0.12 web1.corp.example
LINES
    ;;
esac
