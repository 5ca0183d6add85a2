#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Supervisor with its programs; the mail team's change lies ready, but is not in force.
set -eu
supervisord -c /etc/supervisor/supervisord.conf
sed -i 's/MAIL_RATE=.*/MAIL_RATE="25"/' /etc/supervisor/conf.d/mailer.conf
