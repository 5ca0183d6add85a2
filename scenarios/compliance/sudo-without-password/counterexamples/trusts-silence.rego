# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
package check

import rego.v1

default result := true

# Users, groups and the like that a rule lets do something without a password.
freed contains who if {
	some rule in input.User_Specs
	some commands in rule.Cmnd_Specs
	some option in object.get(commands, "Options", [])
	option.authenticate == false
	some who in rule.User_List
	not is_ops(who)
}

# Whose passwords a default drops; one that is bound to nobody counts for all.
freed contains who if {
	some entry in input.Defaults
	some option in entry.Options
	option.authenticate == false
	some who in object.get(entry, "Binding", [{"username": "ALL"}])
	not is_ops(who)
}

is_ops(who) if who.username == "ops"

result := false if {
	count(freed) > 0
}
