package check

import rego.v1

default result := false

# Users, groups and the like that a rule lets do something without a password.
freed contains who if {
	some rule in input.User_Specs
	some commands in rule.Cmnd_Specs
	some option in object.get(commands, "Options", [])
	option.authenticate == false
	some who in rule.User_List
	not is_ops(who)
}

is_ops(who) if who.username == "ops"

result if {
	count(input.User_Specs) > 0
	count(freed) == 0
}
