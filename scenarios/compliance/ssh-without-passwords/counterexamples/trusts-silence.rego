package check

import rego.v1

default result := false

wanted := {
	"passwordauthentication": "no",
	"kbdinteractiveauthentication": "no",
	"permitrootlogin": "no",
}

wrong contains [user, setting] if {
	some user, settings in input.users
	some setting, value in wanted
	object.get(settings, setting, "unknown") != value
}

result if {
	count(wrong) == 0
}
