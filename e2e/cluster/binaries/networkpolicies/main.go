// Command kube-network-policies enforces the NetworkPolicies of one node's pods: the judge is the project of this name,
// which kind's network uses too; what is brought before it is ours to choose.
package main

import (
	"context"
	"flag"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const queue = 100 // of netfilter: where packets wait for their verdict

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that says where the API server is and who we are to it")
	node := flag.String("node", "", "name of the node whose pods' policies are enforced")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer cancel()
	if err := run(ctx, *kubeconfig, *node); err != nil {
		klog.ErrorS(err, "NetworkPolicies are not enforced")
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, node string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	policies, pods := factory.Networking().V1().NetworkPolicies(), factory.Core().V1().Pods()
	settings := networkpolicy.Config{NodeName: node, QueueID: queue}
	judge, err := networkpolicy.NewController(
		client, policies, factory.Core().V1().Namespaces(), pods, nil, nil, nil, nil, settings,
	)
	if err != nil {
		return err
	}
	rules, err := newRules(node, policies, pods)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	go rules.keep(ctx)
	return judge.Run(ctx)
}
