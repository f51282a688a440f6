{{/* Names, labels, images, and which parts are in use. */}}

{{- define "xlvein.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters: with the longest ending, "-operator-applications", a name stays within 63, and a StatefulSet's within the 52 that it may have. */}}
{{- define "xlvein.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "xlvein.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "xlvein.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Labels that never change, by which objects select pods: (dict "root" $ "component" "server"). */}}
{{- define "xlvein.selectorLabels" -}}
app.kubernetes.io/name: {{ include "xlvein.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of an object: (dict "root" $ "component" "server"). */}}
{{- define "xlvein.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "xlvein.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: xlvein
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata of an object: (dict "root" $ "component" "server" "name" "x" "annotations" (dict …) "labels" (dict …) "namespace" "x"). */}}
{{- define "xlvein.metadata" -}}
name: {{ .name | quote }}
namespace: {{ default .root.Release.Namespace .namespace | quote }}
labels:
  {{- include "xlvein.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* As above without a namespace, for cluster-wide objects. */}}
{{- define "xlvein.clusterMetadata" -}}
{{- include "xlvein.metadata" . | replace (printf "\nnamespace: %q" .root.Release.Namespace) "" }}
{{- end }}

{{/* The reference of an image: (dict "root" $ "image" .Values.image). A digest stands above the tag. */}}
{{- define "xlvein.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry }}
{{- $name := ternary .image.repository (printf "%s/%s" $registry .image.repository) (eq $registry "") }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) }}
{{- end }}
{{- end }}

{{/* The server's image with another part's keys laid over it, as JSON: (dict "root" $ "image" .Values.operator.image). */}}
{{- define "xlvein.imageOver" -}}
{{- $image := deepCopy .root.Values.image }}
{{- range $key, $value := .image }}
{{- if $value }}
{{- if eq $key "tag" }}{{- $_ := set $image "digest" "" }}{{- end }}
{{- $_ := set $image $key $value }}
{{- end }}
{{- end }}
{{- if .image.digest }}{{- $_ := set $image "digest" .image.digest }}{{- end }}
{{- toJson $image }}
{{- end }}

{{- define "xlvein.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "xlvein.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "xlvein.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "xlvein.operatorServiceAccountName" -}}
{{- if .Values.operator.serviceAccount.create }}
{{- default (printf "%s-operator" (include "xlvein.fullname" .)) .Values.operator.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.operator.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* memory, redis or none: as the server would choose. */}}
{{- define "xlvein.storeType" -}}
{{- default (get (dict "local" "memory" "redis" "redis" "rabbitmq" "none") .Values.exchange.type) .Values.store.type }}
{{- end }}

{{/* "true" or "". */}}
{{- define "xlvein.usesRedis" -}}
{{- if or (eq .Values.exchange.type "redis") (eq (include "xlvein.storeType" .) "redis") }}true{{ end }}
{{- end }}

{{- define "xlvein.usesRabbitmq" -}}
{{- if eq .Values.exchange.type "rabbitmq" }}true{{ end }}
{{- end }}

{{- define "xlvein.embedsRedis" -}}
{{- if and (include "xlvein.usesRedis" .) (eq .Values.redis.mode "embedded") }}true{{ end }}
{{- end }}

{{- define "xlvein.embedsRabbitmq" -}}
{{- if and (include "xlvein.usesRabbitmq" .) (eq .Values.rabbitmq.mode "embedded") }}true{{ end }}
{{- end }}

{{- define "xlvein.redisName" -}}
{{ include "xlvein.fullname" . }}-redis
{{- end }}

{{- define "xlvein.rabbitmqName" -}}
{{- if eq .Values.rabbitmq.mode "clusterOperator" }}
{{- default (printf "%s-rabbitmq" (include "xlvein.fullname" .)) .Values.rabbitmq.clusterOperator.name }}
{{- else }}
{{- include "xlvein.fullname" . }}-rabbitmq
{{- end }}
{{- end }}

{{/* Where applications come from: values, existing, operator, bootstrap, none. */}}
{{- define "xlvein.applicationsSource" -}}
{{- if .Values.operator.enabled }}operator
{{- else if .Values.applicationsExistingSecret }}existing
{{- else if .Values.applications }}values
{{- else if eq .Values.bootstrapSecrets.mode "none" }}none
{{- else }}bootstrap
{{- end }}
{{- end }}

{{/* The Secret that holds them. One name per source: a change of source is a change of the pods, a change of applications is not. */}}
{{- define "xlvein.applicationsSecret" -}}
{{- $source := include "xlvein.applicationsSource" . }}
{{- if eq $source "existing" }}{{ .Values.applicationsExistingSecret }}
{{- else if eq $source "operator" }}{{ include "xlvein.fullname" . }}-operator-applications
{{- else if eq $source "values" }}{{ include "xlvein.fullname" . }}-applications
{{- else }}{{ include "xlvein.fullname" . }}-default-application
{{- end }}
{{- end }}

{{/* The Secrets that nobody else makes, as JSON: {redis?, rabbitmq?, application?}. */}}
{{- define "xlvein.bootstrapped" -}}
{{- $made := dict }}
{{- if and (include "xlvein.embedsRedis" .) (not .Values.redis.existingSecret.name) }}{{- $_ := set $made "redis" (include "xlvein.redisName" .) }}{{- end }}
{{- if and (include "xlvein.embedsRabbitmq" .) (not .Values.rabbitmq.existingSecret.name) }}{{- $_ := set $made "rabbitmq" (include "xlvein.rabbitmqName" .) }}{{- end }}
{{- if eq (include "xlvein.applicationsSource" .) "bootstrap" }}{{- $_ := set $made "application" (include "xlvein.applicationsSecret" .) }}{{- end }}
{{- toJson $made }}
{{- end }}

{{/* Least and most servers there may be. */}}
{{- define "xlvein.minReplicas" -}}
{{- if .Values.keda.enabled }}{{ .Values.keda.minReplicas }}{{ else if .Values.autoscaling.enabled }}{{ .Values.autoscaling.minReplicas }}{{ else }}{{ .Values.replicaCount }}{{ end }}
{{- end }}

{{- define "xlvein.maxReplicas" -}}
{{- if .Values.keda.enabled }}{{ .Values.keda.maxReplicas }}{{ else if .Values.autoscaling.enabled }}{{ .Values.autoscaling.maxReplicas }}{{ else }}{{ .Values.replicaCount }}{{ end }}
{{- end }}

{{/*
How many servers the Deployment asks for; "" where a scaler decides. A field that Helm gives up falls to its default, 1: while the number is still
Helm's own it is given as it is, until the scaler has changed it. Helm 3 takes away what it once wrote even then, so it goes on giving the number that is there.
*/}}
{{- define "xlvein.replicas" -}}
{{- if not (or .Values.autoscaling.enabled .Values.keda.enabled) }}
{{- .Values.replicaCount }}
{{- else if .Release.IsUpgrade }}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "xlvein.fullname" .) }}
{{- $isOurs := semverCompare "<4.0.0-0" .Capabilities.HelmVersion.Version }}
{{- range dig "metadata" "managedFields" list $live }}
{{- if and (eq .manager "helm") (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") }}{{ $isOurs = true }}{{ end }}
{{- end }}
{{- if and $live $isOurs }}{{ $live.spec.replicas }}{{ end }}
{{- end }}
{{- end }}

{{- define "xlvein.gracePeriod" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{ add .Values.drain.preStopSeconds (ceil .Values.drain.windowSeconds) 10 }}
{{- else -}}
{{ .Values.terminationGracePeriodSeconds | int }}
{{- end }}
{{- end }}

{{/* A rollout replaces the pods one after the other, each with its drain. */}}
{{- define "xlvein.progressDeadline" -}}
{{- if gt (int .Values.progressDeadlineSeconds) 0 -}}
{{ .Values.progressDeadlineSeconds | int }}
{{- else -}}
{{ max 600 (add (mul (include "xlvein.maxReplicas" . | int) (add (include "xlvein.gracePeriod" . | int) .Values.minReadySeconds)) 120) }}
{{- end }}
{{- end }}

{{/* Whether the servers' pods need a token of the Kubernetes API. */}}
{{- define "xlvein.needsToken" -}}
{{- if or .Values.applicationsWatch.enabled .Values.podDeletionCost.enabled }}true{{ end }}
{{- end }}

{{/* A quantity of memory ("512Mi", "1G", "1073741824") in whole MiB. */}}
{{- define "xlvein.mebibytes" -}}
{{- $text := toString . }}
{{- $number := regexFind "^[0-9.]+" $text | float64 }}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" }}
{{- $factor := get (dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776) $unit }}
{{- if not $factor }}{{ fail (printf "resources.limits.memory: %q is no quantity of memory, such as 512Mi or 1Gi" $text) }}{{ end }}
{{- divf (mulf $number $factor) 1048576 | floor | int64 }}
{{- end }}

{{/* A map or list with every key of its maps in snake_case, as JSON. */}}
{{- define "xlvein.snakeCase" -}}
{{- if kindIs "map" . }}
{{- $result := dict }}
{{- range $key, $value := . }}
{{- $_ := set $result (regexReplaceAll "([A-Z])" $key "_${1}" | lower) (include "xlvein.snakeCase" $value | fromJson | dig "v" nil) }}
{{- end }}
{{- dict "v" $result | toJson }}
{{- else if kindIs "slice" . }}
{{- $result := list }}
{{- range . }}{{- $result = append $result (include "xlvein.snakeCase" . | fromJson | dig "v" nil) }}{{- end }}
{{- dict "v" $result | toJson }}
{{- else }}
{{- dict "v" . | toJson }}
{{- end }}
{{- end }}

{{/* A credential put after the scheme of a URL: (dict "url" "redis://host" "user" "u" "password" "$(X)"). */}}
{{- define "xlvein.urlWith" -}}
{{- $parts := splitn "://" 2 .url }}
{{- if .password }}
{{- printf "%s://%s:%s@%s" $parts._0 .user .password (regexReplaceAll "^[^@/]*@" $parts._1 "") }}
{{- else if .user }}
{{- printf "%s://%s@%s" $parts._0 .user (regexReplaceAll "^[^@/]*@" $parts._1 "") }}
{{- else }}
{{- .url }}
{{- end }}
{{- end }}

{{/* The public paths of an Ingress or route, as a JSON list of {path, type}: (dict "exposePush" … "exposeSdk" …). */}}
{{- define "xlvein.publicPaths" -}}
{{- $paths := list (dict "path" "/ws/connect" "type" "Exact") }}
{{- if .exposePush }}{{- $paths = append $paths (dict "path" "/api/v1" "type" "Prefix") }}{{- end }}
{{- if .exposeSdk }}{{- $paths = append $paths (dict "path" "/sdk.js" "type" "Exact") }}{{- end }}
{{- toJson $paths }}
{{- end }}

{{/* The job label of the servers' series; the dashboards and alerts select by it. */}}
{{- define "xlvein.job" -}}
{{- include "xlvein.fullname" . }}
{{- end }}

{{- define "xlvein.connectUrl" -}}
{{- if .Values.operator.connectUrl }}{{ .Values.operator.connectUrl }}
{{- else if .Values.ingress.enabled }}{{ ternary "wss" "ws" (gt (len .Values.ingress.tls) 0) }}://{{ (first .Values.ingress.hosts).host }}/ws/connect
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames }}wss://{{ first .Values.httpRoute.hostnames }}/ws/connect
{{- else }}{{ ternary "wss" "ws" (ne .Values.tls.existingSecret "") }}://{{ include "xlvein.fullname" . }}.{{ .Release.Namespace }}.svc:{{ .Values.service.port }}/ws/connect
{{- end }}
{{- end }}

{{- define "xlvein.serviceUrl" -}}
{{ ternary "https" "http" (ne .Values.tls.existingSecret "") }}://{{ include "xlvein.fullname" . }}.{{ .Release.Namespace }}.svc:{{ .Values.service.port }}
{{- end }}
