{{/* The Secret with the log's keys. */}}
{{- define "feem.auditKeys" -}}
{{ .Values.audit.keys.secret | default "feem-audit-key" }}
{{- end }}

{{/* The operator's environment, as far as it is about the audit log. */}}
{{- define "feem.auditEnv" -}}
{{- with .Values.audit -}}
- name: FEEM_AUDIT_KEYS_DIR
  value: /etc/feem/audit-keys
{{- with .origin }}
- name: FEEM_AUDIT_ORIGIN
  value: {{ . | quote }}
{{- end }}
- name: FEEM_AUDIT_STORE
  value: {{ .store }}
- name: FEEM_AUDIT_PUBLISH_SECONDS
  value: {{ .publishSeconds | int64 | quote }}
- name: FEEM_AUDIT_HEARTBEAT_SECONDS
  value: {{ .heartbeatSeconds | int64 | quote }}
- name: FEEM_AUDIT_RETENTION_DAYS
  value: {{ .retention.days | int64 | quote }}
- name: FEEM_AUDIT_RETENTION_RECORDS
  value: {{ .retention.records | int64 | quote }}
{{- if .directory.enabled }}
- name: FEEM_AUDIT_DIRECTORY
  value: {{ .directory.path | quote }}
{{- end }}
{{- if eq .store "Postgres" }}
- name: FEEM_AUDIT_POSTGRES_DSN_FILE
  value: /etc/feem/audit-postgres/{{ .postgres.key }}
{{- end }}
{{- if .witnesses }}
- name: FEEM_AUDIT_WITNESSES_FILE
  value: /etc/feem/audit-witnesses/policy
{{- end }}
{{- end }}
{{- end }}

{{- define "feem.auditMounts" -}}
{{- with .Values.audit -}}
- name: audit-keys
  mountPath: /etc/feem/audit-keys
  readOnly: true
{{- if .directory.enabled }}
- name: audit-directory
  mountPath: {{ .directory.path | quote }}
{{- end }}
{{- if eq .store "Postgres" }}
- name: audit-postgres
  mountPath: /etc/feem/audit-postgres
  readOnly: true
{{- end }}
{{- if .witnesses }}
- name: audit-witnesses
  mountPath: /etc/feem/audit-witnesses
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{/* Files of a Secret are root's; 0440 lets the pod's fsGroup read them, and nobody else. */}}
{{- define "feem.auditVolumes" -}}
{{- with .Values.audit -}}
- name: audit-keys
  secret:
    secretName: {{ include "feem.auditKeys" $ | quote }}
    defaultMode: 0440
{{- if .directory.enabled }}
- name: audit-directory
  persistentVolumeClaim:
    claimName: {{ .directory.existingClaim | default "feem-audit" | quote }}
{{- end }}
{{- if eq .store "Postgres" }}
- name: audit-postgres
  {{- include "feem.secretKey" .postgres | nindent 2 }}
    defaultMode: 0440
{{- end }}
{{- if .witnesses }}
- name: audit-witnesses
  configMap:
    name: feem-audit-witnesses
{{- end }}
{{- end }}
{{- end }}
