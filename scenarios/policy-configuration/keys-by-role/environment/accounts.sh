#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# The accounts with what gathered in them; what there is differs from host to host.
set -eu
old1='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILKF0PmOWhiuPsOBrErsjfmPuqjeHO8CKqMFkNSd+qV/ ines@old-laptop'
old2='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOABVJqDi1pLZp6ILQBhkCG34RCKlc6LlG6eYBgtuUMr jonas'
nightly='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA8Wunz2bDgkch9yVZpIfgCEA6r+otyQxbtu0gtbSiFB nightly@registry'
sealed='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZOjBozRAlhRc0LWmGk4iZpWjpJq66xr1OyLLOkLCMD break-glass'
sealed2='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILgF2FH6XXAnCBRf4kNVojhfXsHWKKP2Wu6QDFFc8OWv break-glass'
opened='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJbGj+jhAZln5+5jh7MjoZh1n+jxmdmK8n7gw60AOuMZ break-glass-old'

for account in deploy report rescue nightly; do
  useradd --create-home --shell /bin/bash --password '*' "$account"
done
keys() {
  mkdir -p -m 700 "/home/$1/.ssh"
  cat >"/home/$1/.ssh/authorized_keys"
  chmod 600 "/home/$1/.ssh/authorized_keys"
  chown -R "$1:$1" "/home/$1/.ssh"
}
echo "$nightly" | keys nightly
case $(hostname) in
  app1)
    printf '%s\n' "$old1" "from=\"192.0.2.0/28\",no-port-forwarding $sealed" "$opened" | keys deploy
    printf '%s\n' "$old2" | keys report
    printf '%s\n' "$sealed" | keys rescue
    ;;
  app2)
    printf '%s\n' "$sealed2" "$old1" | keys deploy
    printf '%s\n' "$old2" "$opened" | keys rescue
    chmod 755 /home/rescue/.ssh
    ;;
esac
