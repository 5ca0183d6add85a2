# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
package check

import rego.v1

default result := false

everybody := {"0.0.0.0/0", "::/0"}

about_ingress contains policy if {
	some policy in input.policies
	"Ingress" in policy.spec.policyTypes
}

walled if {
	some policy in about_ingress
	count(policy.spec.podSelector) == 0
}

# A rule without senders lets everybody in.
holes contains policy.name if {
	some policy in about_ingress
	some rule in object.get(policy.spec, "ingress", [])
	count(object.get(rule, "from", [])) == 0
}

holes contains policy.name if {
	some policy in about_ingress
	some rule in object.get(policy.spec, "ingress", [])
	some sender in object.get(rule, "from", [])
	lets_everybody_in(sender)
}

lets_everybody_in(sender) if sender.ipBlock.cidr in everybody

result if {
	walled
	count(holes) == 0
}
