// Validates rendered manifests with the API server's own code: strict decoding, defaults, and the rules behind the types.
// What it does not know (KEDA, prometheus-operator) it counts. run.sh builds and runs it.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsinstall "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	autoscalinginstall "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinstall "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkinginstall "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyinstall "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
)

func main() {
	scheme := runtime.NewScheme()
	for _, install := range []func(*runtime.Scheme){
		appsinstall.Install, autoscalinginstall.Install, coreinstall.Install, networkinginstall.Install, policyinstall.Install,
	} {
		install(scheme)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()

	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	valid, invalid, unknown := 0, 0, 0
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			unknown++
			continue
		}
		problems := field.ErrorList{}
		if err != nil {
			problems = append(problems, field.InternalError(nil, err))
		} else {
			problems = validate(object)
		}
		for _, problem := range problems {
			fmt.Printf("%v: %v\n", kind, problem)
		}
		if len(problems) > 0 {
			invalid++
		} else {
			valid++
		}
	}
	fmt.Printf("%d valid, %d invalid, %d of other APIs\n", valid, invalid, unknown)
	if invalid > 0 || valid == 0 {
		os.Exit(1)
	}
}

func validate(object runtime.Object) field.ErrorList {
	switch of := object.(type) {
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(of, corevalidation.PodValidationOptions{})
	case *autoscaling.HorizontalPodAutoscaler:
		options := autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{MinReplicasLowerBound: 1}
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(of, options)
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(of)
	case *core.Namespace:
		return corevalidation.ValidateNamespace(of)
	case *core.Service:
		// Allocated by the API server before it validates.
		if of.Spec.ExternalTrafficPolicy == core.ServiceExternalTrafficPolicyLocal {
			of.Spec.HealthCheckNodePort = 32000
		}
		return corevalidation.ValidateServiceCreate(of)
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(of)
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(of, networkingvalidation.NetworkPolicyValidationOptions{})
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(of, policyvalidation.PodDisruptionBudgetValidationOptions{})
	}
	return field.ErrorList{field.InternalError(nil, fmt.Errorf("there is no validation of %T here", object))}
}
