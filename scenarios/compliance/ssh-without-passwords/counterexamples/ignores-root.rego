# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
package check

import rego.v1

default result := false

wanted := {
	"passwordauthentication": "no",
	"kbdinteractiveauthentication": "no",
}

wrong contains [user, setting] if {
	some user, settings in input.users
	some setting, value in wanted
	object.get(settings, setting, "unknown") != value
}

result if {
	count(input.users) > 0
	count(wrong) == 0
}
