{{/* The parts of the servers' pod. */}}

{{/* Settings of any pod of this chart that runs our image: (dict "root" $). */}}
{{- define "xlvein.podBase" -}}
automountServiceAccountToken: false
enableServiceLinks: {{ .root.Values.enableServiceLinks }}
{{- if not (kindIs "invalid" .root.Values.hostUsers) }}
hostUsers: {{ .root.Values.hostUsers }}
{{- end }}
{{- with include "xlvein.imagePullSecrets" .root }}
{{ . }}
{{- end }}
{{- with .root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where a part's pods may run: its values. */}}
{{- define "xlvein.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Over nodes and zones, where that is possible: (dict "root" $ "component" "server"). */}}
{{- define "xlvein.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "xlvein.selectorLabels" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* A volume with what talking to the Kubernetes API needs, and no more. */}}
{{- define "xlvein.tokenVolume" -}}
- name: kube-api
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - {key: ca.crt, path: ca.crt}
      - downwardAPI:
          items:
            - path: namespace
              fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}
{{- end }}

{{- define "xlvein.tokenMount" -}}
- name: kube-api
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{/* A directory with the applications' file. Optional: it may come later, and the servers take it up then. */}}
{{- define "xlvein.applicationsVolume" -}}
- name: applications
  secret:
    secretName: {{ include "xlvein.applicationsSecret" . | quote }}
    optional: true
    defaultMode: 0440
    items:
      - {key: applications.json, path: applications.json}
      - {key: applications.yaml, path: applications.yaml}
      - {key: applications.json.gz, path: applications.json.gz}
{{- end }}

{{- define "xlvein.applicationsMount" -}}
- name: applications
  mountPath: /etc/xlvein/applications
  readOnly: true
{{- end }}

{{- define "xlvein.preStop" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}
sleep:
  seconds: {{ .Values.drain.preStopSeconds }}
{{- else }}
exec:
  command: [node, -e, {{ printf "setTimeout(() => {}, %d)" (mul .Values.drain.preStopSeconds 1000) | quote }}]
{{- end }}
{{- end }}

{{/* The brokers' addresses: variables, because they hold passwords. */}}
{{- define "xlvein.brokerEnv" -}}
{{- if include "xlvein.usesRedis" . }}
{{- $redis := .Values.redis }}
{{- $existing := $redis.existingSecret }}
{{- $scheme := ternary "rediss" "redis" $redis.tls.enabled }}
{{- $secret := $existing.name }}
{{- $passwordKey := ternary $existing.passwordKey "" (ne $existing.name "") }}
{{- if and (eq $redis.mode "embedded") (not $existing.name) }}
{{- $secret = include "xlvein.redisName" . }}
{{- $passwordKey = "password" }}
{{- end }}
{{- if and $existing.name $existing.urlKey }}
- name: XLVEIN_EXCHANGE_REDIS
  valueFrom:
    secretKeyRef: {name: {{ $existing.name }}, key: {{ $existing.urlKey }}}
{{- else }}
{{- if $passwordKey }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $passwordKey }}}
{{- end }}
{{- if and $existing.name $existing.sentinelPasswordKey }}
- name: REDIS_SENTINEL_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $existing.name }}, key: {{ $existing.sentinelPasswordKey }}}
{{- end }}
{{- $url := "" }}
{{- if eq $redis.mode "embedded" }}
{{- $url = printf "redis://%s:6379/0" (include "xlvein.redisName" .) }}
{{- else if eq $redis.mode "sentinel" }}
{{- $query := ternary "?sentinel_password=$(REDIS_SENTINEL_PASSWORD)" "" (and (ne $existing.name "") (ne $existing.sentinelPasswordKey "")) }}
{{- $url = printf "%s+sentinel://%s/%s/%d%s" $scheme (join "," $redis.sentinel.nodes) $redis.sentinel.master (int $redis.sentinel.database) $query }}
{{- else if eq $redis.mode "cluster" }}
{{- $url = printf "%s+cluster://%s" $scheme (join "," $redis.cluster.nodes) }}
{{- else }}
{{- $url = regexReplaceAll "^redis://" $redis.url (printf "%s://" $scheme) }}
{{- end }}
- name: XLVEIN_EXCHANGE_REDIS
  value: {{ include "xlvein.urlWith" (dict "url" $url "user" $redis.username "password" (ternary "$(REDIS_PASSWORD)" "" (ne $passwordKey ""))) | quote }}
{{- end }}
{{- end }}
{{- if include "xlvein.usesRabbitmq" . }}
{{- $rabbitmq := .Values.rabbitmq }}
{{- $existing := $rabbitmq.existingSecret }}
{{- if eq $rabbitmq.mode "clusterOperator" }}
- name: XLVEIN_EXCHANGE_RABBITMQ
  valueFrom:
    secretKeyRef: {name: {{ include "xlvein.rabbitmqName" . }}-default-user, key: connection_string}
{{- else if and $existing.name $existing.urlKey }}
- name: XLVEIN_EXCHANGE_RABBITMQ
  valueFrom:
    secretKeyRef: {name: {{ $existing.name }}, key: {{ $existing.urlKey }}}
{{- else }}
{{- $embedded := eq $rabbitmq.mode "embedded" }}
{{- $passwordKey := ternary $existing.passwordKey (ternary "password" "" $embedded) (ne $existing.name "") }}
{{- if $passwordKey }}
- name: RABBITMQ_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ default (include "xlvein.rabbitmqName" .) $existing.name }}, key: {{ $passwordKey }}}
{{- end }}
{{- $url := ternary (printf "amqp://%s:5672/" (include "xlvein.rabbitmqName" .)) (regexReplaceAll "^amqp://" $rabbitmq.url (ternary "amqps://" "amqp://" $rabbitmq.tls.enabled)) $embedded }}
- name: XLVEIN_EXCHANGE_RABBITMQ
  value: {{ include "xlvein.urlWith" (dict "url" $url "user" $rabbitmq.username "password" (ternary "$(RABBITMQ_PASSWORD)" "" (ne $passwordKey ""))) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The server's configuration, as JSON. Brokers' addresses and applications are not in it. */}}
{{- define "xlvein.config" -}}
{{- $values := .Values }}
{{- $exchange := dict
  "type" $values.exchange.type
  "exchange_name" (default (include "xlvein.fullname" .) $values.exchange.exchangeName)
  "queue_name" $values.exchange.queueName
  "buckets" (int $values.exchange.buckets)
  "wire_version" (int $values.exchange.wireVersion)
  "probe_seconds" $values.exchange.probeSeconds }}
{{- if include "xlvein.brokerTls" . }}
{{- $tls := dict }}
{{- range $part := list "ca" "cert" "key" }}
{{- with get $values.exchange.tls (printf "%sKey" $part) }}{{- $_ := set $tls $part (printf "/etc/xlvein/broker-tls/%s" .) }}{{- end }}
{{- end }}
{{- $_ := set $exchange "tls" $tls }}
{{- end }}
{{- $config := dict
  "app" (default .Release.Name $values.server.app)
  "debug" $values.server.debug
  "host" (printf "%s:%d" (include "xlvein.bracketed" $values.server.host) (int $values.server.ports.http))
  "internal" (dict "enabled" true "host" $values.server.host "port" (int $values.server.ports.internal))
  "exchange" $exchange
  "store" (dict "type" (include "xlvein.storeType" .) "history" (dict "messages" (int $values.store.history.messages) "seconds" $values.store.history.seconds))
  "applications_dir" "/etc/xlvein/applications"
  "drain" (dict "window_seconds" $values.drain.windowSeconds)
}}
{{- range $section := list "limits" "ping" "ready" "log" "console" "docs" }}
{{- $_ := set $config $section (include "xlvein.snakeCase" (get $values.server $section) | fromJson | dig "v" dict) }}
{{- end }}
{{- if $values.tls.existingSecret }}
{{- $_ := set $config "tls" (dict "cert" (printf "/etc/xlvein/tls/%s" $values.tls.certKey) "key" (printf "/etc/xlvein/tls/%s" $values.tls.keyKey)) }}
{{- end }}
{{- if $values.rebalance.enabled }}
{{- $_ := set $config "rebalance" (include "xlvein.snakeCase" $values.rebalance | fromJson | dig "v" dict) }}
{{- end }}
{{- mergeOverwrite $config (deepCopy $values.server.extraConfig) | toPrettyJson }}
{{- end }}

{{- define "xlvein.bracketed" -}}
{{- if contains ":" . }}[{{ . }}]{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Whether certificates for a broker are mounted. */}}
{{- define "xlvein.brokerTls" -}}
{{- $redis := and (include "xlvein.usesRedis" .) .Values.redis.tls.enabled }}
{{- $rabbitmq := and (include "xlvein.usesRabbitmq" .) .Values.rabbitmq.tls.enabled }}
{{- if and .Values.exchange.tls.existingSecret (or $redis $rabbitmq) }}true{{ end }}
{{- end }}
