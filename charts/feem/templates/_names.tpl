{{/* The operator is one per cluster, as its definitions and policies are: its objects carry fixed names. */}}
{{- define "feem.name" -}}feem{{- end }}

{{- define "feem.selector" -}}
app.kubernetes.io/name: feem
app.kubernetes.io/component: operator
{{- end }}

{{- define "feem.reaperName" -}}feem-reaper{{- end }}

{{- define "feem.reaperSelector" -}}
app.kubernetes.io/name: feem
app.kubernetes.io/component: reaper
{{- end }}

{{- define "feem.labels" -}}
{{ include "feem.selector" . }}
{{ include "feem.releaseLabels" . }}
{{- end }}

{{- define "feem.reaperLabels" -}}
{{ include "feem.reaperSelector" . }}
{{ include "feem.releaseLabels" . }}
{{- end }}

{{- define "feem.releaseLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "feem.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Who the operator is to the API server; the admission policies let only this user through. */}}
{{- define "feem.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Values.serviceAccount.name }}
{{- end }}

{{/* The reaper's account. The policies are written for the operator's user name with this suffix (feem/adapters/policies.py). */}}
{{- define "feem.reaperAccount" -}}
{{ .Values.serviceAccount.name }}-reaper
{{- end }}

{{/* Whether the policy that pauses changes is installed: "true" or "". */}}
{{- define "feem.holds" -}}
{{- if not .Values.policies.install -}}
{{- else if eq .Values.policies.hold "Always" -}}true
{{- else if eq .Values.policies.hold "Never" -}}
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}true
{{- end -}}
{{- end }}

{{/* Where the authorities of a certificate are (`ca` of the values), as a pod's volume source; "" when none are given. */}}
{{- define "feem.authorities" -}}
{{- with . -}}
{{- if .configMap -}}
configMap:
  name: {{ .configMap | quote }}
  items:
    - key: {{ .key | quote }}
      path: {{ .key | quote }}
{{- else if .secret -}}
{{ include "feem.secretKey" . }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The same for Prometheus' certificate. */}}
{{- define "feem.prometheusCa" -}}
{{- include "feem.authorities" .Values.prometheus.ca -}}
{{- end }}

{{/* One key of a Secret, as a pod's volume source. */}}
{{- define "feem.secretKey" -}}
secret:
  secretName: {{ .secret | quote }}
  items:
    - key: {{ .key | quote }}
      path: {{ .key | quote }}
{{- end }}
