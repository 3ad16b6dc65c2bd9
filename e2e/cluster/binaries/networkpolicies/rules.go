package main

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	core "k8s.io/client-go/informers/core/v1"
	networking "k8s.io/client-go/informers/networking/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	chain = "FEEM-POLICIES"
	pause = time.Second // before a failure is tried over
)

// rules says which packets are judged: all from and to pods that a policy selects, but for replies. The judge writes
// rules as well. They bring it the first packet of a connection only, so that a client that keeps its connections would
// notice no partition, and they need a kernel with nft_queue: where it lacks, the judge's log complains.
type rules struct {
	node     string
	policies networking.NetworkPolicyInformer
	pods     core.PodInformer
	news     chan struct{}
	written  []netip.Addr
}

func newRules(node string, policies networking.NetworkPolicyInformer, pods core.PodInformer) (*rules, error) {
	r := &rules{node: node, policies: policies, pods: pods, news: make(chan struct{}, 1)}
	wake := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { r.wake() },
		UpdateFunc: func(any, any) { r.wake() },
		DeleteFunc: func(any) { r.wake() },
	}
	for _, informer := range []cache.SharedIndexInformer{policies.Informer(), pods.Informer()} {
		if _, err := informer.AddEventHandler(wake); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rules) wake() {
	select {
	case r.news <- struct{}{}:
	default: // it is to wake up already
	}
}

// keep has the kernel's rules follow policies and pods until the context ends.
func (r *rules) keep(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), r.policies.Informer().HasSynced, r.pods.Informer().HasSynced) {
		return
	}
	for {
		if err := r.sync(ctx); err != nil {
			klog.ErrorS(err, "the rules stay as they were", "next", pause)
			time.AfterFunc(pause, r.wake)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		}
	}
}

func (r *rules) sync(ctx context.Context) error {
	wanted, err := r.selected()
	if err != nil || (r.written != nil && slices.Equal(wanted, r.written)) {
		return err
	}
	if err := write(ctx, wanted); err != nil {
		return err
	}
	r.written = wanted
	klog.InfoS("packets are judged", "pods", wanted)
	return nil
}

// selected lists, in order, the addresses of this node's pods that some policy selects: IPv4, as the clusters are.
func (r *rules) selected() ([]netip.Addr, error) {
	found := []netip.Addr{}
	policies, err := r.policies.Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, policy := range policies {
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil {
			return nil, err
		}
		pods, err := r.pods.Lister().Pods(policy.Namespace).List(selector)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			address, err := netip.ParseAddr(pod.Status.PodIP)
			if err == nil && address.Is4() && pod.Spec.NodeName == r.node && !pod.Spec.HostNetwork {
				found = append(found, address)
			}
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

// write replaces our chain at one go. It hangs where a Service's address has become a pod's and the sender's is still its
// own. What root's programs on the node send passes, the kubelet's probes above all: of what pods send, the kernel knows
// no owner there.
func write(ctx context.Context, addresses []netip.Addr) error {
	lines := []string{
		"*mangle",
		":" + chain + " - [0:0]",
		"-A " + chain + " -m owner --uid-owner 0 -j RETURN",
		"-A " + chain + " -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j RETURN",
		"-A " + chain + " -m conntrack --ctstate RELATED -j RETURN",
	}
	for _, address := range addresses {
		for _, end := range []string{"-s", "-d"} {
			lines = append(lines, fmt.Sprintf("-A %s %s %s -j NFQUEUE --queue-num %d", chain, end, address, queue))
		}
	}
	lines = append(lines, "COMMIT", "")
	if err := command(ctx, strings.Join(lines, "\n"), "iptables-restore", "-w", "--noflush"); err != nil {
		return err
	}
	hook := []string{"POSTROUTING", "-j", chain}
	if command(ctx, "", "iptables", append([]string{"-w", "-t", "mangle", "-C"}, hook...)...) == nil {
		return nil
	}
	return command(ctx, "", "iptables", append([]string{"-w", "-t", "mangle", "-A"}, hook...)...)
}

func command(ctx context.Context, input, name string, words ...string) error {
	program := exec.CommandContext(ctx, name, words...)
	program.Stdin = strings.NewReader(input)
	if said, err := program.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(words, " "), err, said)
	}
	return nil
}
