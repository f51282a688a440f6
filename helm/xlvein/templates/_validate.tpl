{{/* What the schema cannot say: values that do not go together. Every fault is one sentence; all are told at once. */}}
{{- define "xlvein.validate" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- $many := or (gt (int $v.replicaCount) 1) $v.autoscaling.enabled $v.keda.enabled }}
{{- if and (eq $v.exchange.type "local") $many }}
{{- $faults = append $faults "exchange.type local serves one server: set exchange.type to redis or rabbitmq, or replicaCount to 1 without autoscaling and keda." }}
{{- end }}
{{- if and $v.autoscaling.enabled $v.keda.enabled }}
{{- $faults = append $faults "autoscaling and keda would both set the number of servers: enable one of them." }}
{{- end }}
{{- range $name := list "autoscaling" "keda" }}
{{- $scaler := get $v $name }}
{{- if and $scaler.enabled (gt (int $scaler.minReplicas) (int $scaler.maxReplicas)) }}
{{- $faults = append $faults (printf "%s.minReplicas is above %s.maxReplicas." $name $name) }}
{{- end }}
{{- end }}
{{- $scaling := $v.autoscaling }}
{{- if and $scaling.enabled (not (or $scaling.cpu $scaling.memory $scaling.connections.enabled $scaling.extraMetrics)) }}
{{- $faults = append $faults "autoscaling has nothing to go by: set autoscaling.cpu, memory, connections.enabled or extraMetrics." }}
{{- end }}
{{- range $name := list "cpu" "memory" }}
{{- if and $scaling.enabled (get $scaling $name) (not (dig "requests" $name "" $v.resources)) }}
{{- $faults = append $faults (printf "autoscaling.%s is a share of resources.requests.%s, which is not set." $name $name) }}
{{- end }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled }}
{{- $faults = append $faults "metrics.serviceMonitor and metrics.podMonitor would scrape every pod twice: enable one of them." }}
{{- end }}
{{- if and (eq $v.service.preset "nlb") (lt (int $v.drain.preStopSeconds) 120) }}
{{- $faults = append $faults (printf "service.preset nlb needs drain.preStopSeconds of 120 or more (it is %d): the balancer sends new connections for so long to a pod that goes." (int $v.drain.preStopSeconds)) }}
{{- end }}
{{- if and (ne $v.service.preset "") (ne $v.service.type "LoadBalancer") }}
{{- $faults = append $faults (printf "service.preset %s needs service.type LoadBalancer." $v.service.preset) }}
{{- end }}
{{- if and $v.httpRoute.backendTls.hostname (not $v.tls.existingSecret) }}
{{- $faults = append $faults "httpRoute.backendTls.hostname needs tls.existingSecret: without it the pods speak plain HTTP." }}
{{- end }}
{{- if and $v.keda.enabled (eq $v.keda.source "prometheus") (not $v.keda.prometheus.serverAddress) }}
{{- $faults = append $faults "keda.source prometheus needs keda.prometheus.serverAddress." }}
{{- end }}
{{- $store := include "xlvein.storeType" . }}
{{- if and (ne $v.exchange.type "local") (eq $store "memory") }}
{{- $faults = append $faults (printf "store.type memory does not go with exchange.type %s: use redis or none." $v.exchange.type) }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- $faults = append $faults "ingress.enabled needs ingress.hosts." }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- $faults = append $faults "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that it attaches to." }}
{{- end }}
{{- $least := add $v.drain.preStopSeconds (ceil $v.drain.windowSeconds) }}
{{- if and (not (kindIs "invalid" $v.terminationGracePeriodSeconds)) (lt (int $v.terminationGracePeriodSeconds) (int $least)) }}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds %d is less than drain.preStopSeconds + drain.windowSeconds (%d): sockets would be cut." (int $v.terminationGracePeriodSeconds) (int $least)) }}
{{- end }}
{{- if eq (int $v.server.ports.http) (int $v.server.ports.internal) }}
{{- $faults = append $faults "server.ports.http and server.ports.internal are the same." }}
{{- end }}
{{- if and $v.pdb.enabled (not (kindIs "invalid" $v.pdb.maxUnavailable)) (not (kindIs "invalid" $v.pdb.minAvailable)) }}
{{- $faults = append $faults "pdb has both maxUnavailable and minAvailable: keep one of them." }}
{{- end }}
{{- $faults = concat $faults (include "xlvein.validateBrokers" . | fromJsonArray) (include "xlvein.validateApplications" . | fromJsonArray) (include "xlvein.validateOperator" . | fromJsonArray) }}
{{- range $key := list "applications" "applications_file" "applications_dir" }}
{{- if hasKey $v.server.extraConfig $key }}{{- $faults = append $faults (printf "server.extraConfig.%s: applications are no part of the ConfigMap; use applications or applicationsExistingSecret." $key) }}{{- end }}
{{- end }}
{{- range $key := list "redis" "rabbitmq" }}
{{- if dig "exchange" $key "" $v.server.extraConfig }}{{- $faults = append $faults (printf "server.extraConfig.exchange.%s: an address with a password is no part of the ConfigMap; use %s.existingSecret." $key $key) }}{{- end }}
{{- end }}
{{- if $faults }}
{{- fail (printf "\n\nThese values cannot be installed:\n- %s\n" (join "\n- " $faults)) }}
{{- end }}
{{- end }}

{{- define "xlvein.validateBrokers" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if include "xlvein.usesRedis" . }}
{{- $byUrlKey := and (ne $v.redis.existingSecret.name "") (ne $v.redis.existingSecret.urlKey "") }}
{{- if and (eq $v.redis.mode "external") (not $v.redis.url) (not $byUrlKey) }}
{{- $faults = append $faults "redis.mode external needs redis.url, or redis.existingSecret.name with urlKey." }}
{{- end }}
{{- if and (eq $v.redis.mode "sentinel") (not $v.redis.sentinel.nodes) (not $byUrlKey) }}
{{- $faults = append $faults "redis.mode sentinel needs redis.sentinel.nodes." }}
{{- end }}
{{- if and (eq $v.redis.mode "cluster") (not $v.redis.cluster.nodes) (not $byUrlKey) }}
{{- $faults = append $faults "redis.mode cluster needs redis.cluster.nodes." }}
{{- end }}
{{- if and (eq $v.redis.mode "embedded") (ne $v.redis.existingSecret.name "") (not $v.redis.existingSecret.passwordKey) }}
{{- $faults = append $faults "redis.existingSecret.name with redis.mode embedded needs passwordKey." }}
{{- end }}
{{- if and (eq $v.redis.mode "embedded") (not (has $v.redis.username (list "" "default"))) }}
{{- $faults = append $faults "redis.username is for brokers outside this chart: redis.mode embedded has no users." }}
{{- end }}
{{- if and (eq $v.redis.mode "embedded") $v.redis.tls.enabled }}
{{- $faults = append $faults "redis.tls is for brokers outside this chart: redis.mode embedded has none." }}
{{- end }}
{{- if regexMatch "://[^/@]*:[^/]*@" $v.redis.url }}
{{- $faults = append $faults "redis.url holds a password, which would stand in the Deployment: put it into redis.existingSecret." }}
{{- end }}
{{- end }}
{{- if include "xlvein.usesRabbitmq" . }}
{{- if and (eq $v.rabbitmq.mode "external") (not $v.rabbitmq.url) (not (and (ne $v.rabbitmq.existingSecret.name "") (ne $v.rabbitmq.existingSecret.urlKey ""))) }}
{{- $faults = append $faults "rabbitmq.mode external needs rabbitmq.url, or rabbitmq.existingSecret.name with urlKey." }}
{{- end }}
{{- if and (eq $v.rabbitmq.mode "embedded") (ne $v.rabbitmq.existingSecret.name "") (not $v.rabbitmq.existingSecret.passwordKey) }}
{{- $faults = append $faults "rabbitmq.existingSecret.name with rabbitmq.mode embedded needs passwordKey." }}
{{- end }}
{{- if and (eq $v.rabbitmq.mode "embedded") $v.rabbitmq.tls.enabled }}
{{- $faults = append $faults "rabbitmq.tls is for brokers outside this chart: rabbitmq.mode embedded has none." }}
{{- end }}
{{- if regexMatch "://[^/@]*:[^/]*@" $v.rabbitmq.url }}
{{- $faults = append $faults "rabbitmq.url holds a password, which would stand in the Deployment: put it into rabbitmq.existingSecret." }}
{{- end }}
{{- $inCluster := lookup "v1" "Namespace" "" "kube-system" }}
{{- if and (eq $v.rabbitmq.mode "clusterOperator") $v.rabbitmq.clusterOperator.create $inCluster (not (.Capabilities.APIVersions.Has "rabbitmq.com/v1beta1")) }}
{{- $faults = append $faults "rabbitmq.mode clusterOperator needs the RabbitMQ Cluster Operator: the cluster has no API rabbitmq.com/v1beta1." }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}

{{- define "xlvein.validateApplications" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if and $v.applications $v.applicationsExistingSecret }}
{{- $faults = append $faults "applications and applicationsExistingSecret are two sources: keep one of them." }}
{{- end }}
{{- $seen := dict }}
{{- range $v.applications }}
{{- if hasKey $seen .appKey }}
{{- $faults = append $faults (printf "applications: appKey %q is there twice." .appKey) }}
{{- end }}
{{- $_ := set $seen .appKey true }}
{{- if eq (hasKey . "appSecret") (hasKey . "secrets") }}
{{- $faults = append $faults (printf "applications: %q needs appSecret or secrets, and not both." .appKey) }}
{{- end }}
{{- $appKey := .appKey }}
{{- if not .allowShortSecrets }}
{{- $texts := list }}
{{- if hasKey . "appSecret" }}{{- $texts = append $texts .appSecret }}{{- end }}
{{- range .secrets }}{{- $texts = append $texts .secret }}{{- end }}
{{- range $texts }}
{{- if lt (len .) 32 }}
{{- $faults = append $faults (printf "applications: a secret of %q has %d bytes; use at least 32 (openssl rand -base64 32), or set allowShortSecrets." $appKey (len .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}

{{- define "xlvein.validateOperator" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if $v.operator.enabled }}
{{- if or $v.applications $v.applicationsExistingSecret }}
{{- $faults = append $faults "operator.enabled makes the applications: leave applications and applicationsExistingSecret empty." }}
{{- end }}
{{- if and (gt (int $v.operator.replicas) 1) (not $v.operator.leaderElection.enabled) }}
{{- $faults = append $faults "operator.replicas above 1 needs operator.leaderElection.enabled." }}
{{- end }}
{{- $election := $v.operator.leaderElection }}
{{- if or (le (int $election.leaseDurationSeconds) (int $election.renewDeadlineSeconds)) (le (int $election.renewDeadlineSeconds) (int $election.retryPeriodSeconds)) }}
{{- $faults = append $faults "operator.leaderElection: leaseDurationSeconds must be above renewDeadlineSeconds, and that above retryPeriodSeconds." }}
{{- end }}
{{- if and $v.operator.admissionPolicy.enabled (semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version) }}
{{- $faults = append $faults "operator.admissionPolicy needs Kubernetes 1.30 or later." }}
{{- end }}
{{- if and (has "*" $v.operator.watchNamespaces) (gt (len $v.operator.watchNamespaces) 1) }}
{{- $faults = append $faults "operator.watchNamespaces: \"*\" means all and stands alone." }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}
