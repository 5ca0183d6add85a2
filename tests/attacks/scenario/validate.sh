# shellcheck shell=sh disable=SC2148
check "the state is open" grep -qx 'state=open' /etc/shop/shop.conf
check "nobody changed the notes" grep -qx 'The shop reads shop.conf.' /etc/shop/notes
check "the settings have two lines" test "$(wc -l </etc/shop/shop.conf)" -eq 2
