// SPDX-License-Identifier: Apache-2.0
// What the pages say, in English and Portuguese.

const EN = {
  name: "English", other: "Português", light: "Light", dark: "Dark", skip: "Skip to content",
  live: "live", lost: "no answer", loading: "Loading …", notFound: "There is nothing here.", failed: "This could not be loaded", empty: "Nothing yet.",
  kinds: { history: "History", master: "Master", worker: "Worker", application: "Application" },
  applications: "Applications", application: "Application", filter: "Filter", rows: "rows", page: (a, b, n) => `${a}–${b} of ${n}`, next: "Next", back: "Back",
  all: "All", running: "Running", finished: "Finished",
  id: "ID", title: "Name", user: "User", started: "Started", ended: "Ended", duration: "Duration", state: "State", log: "Log", size: "Size", version: "Spark version", cores: "Cores", memory: "Memory", attempt: "Attempt",
  workers: "Workers", host: "Host", heartbeat: "Last heartbeat", used: (b) => `${b} in use`, ago: (t) => `${t} ago`, tasks: "Tasks",
  overview: "Overview", jobs: "Jobs", job: "Job", stages: "Stages", stage: "Stage", sql: "SQL", query: "Query", executors: "Executors", executor: "Executor", environment: "Environment",
  description: "Description", timeline: "Timeline", slowest: "Slowest queries", input: "Input", output: "Output", inputRows: "Rows in", outputRows: "Rows out", shuffleRead: "Rows from stages", shuffleWrite: "Rows to stages", bytesRead: "Bytes read", bytesWritten: "Bytes written", shuffleBytes: "Shuffled",
  spill: "Spill", peak: "Peak memory", cpu: "CPU time", gc: "GC", index: "Part", locality: "Locality", status_: "State", error: "Error", launch: "Launched", taskTime: "Task time",
  summary: "How tasks differ", quantile: "Metric", minimum: "Least", quarter: "25 %", median: "Median", threeQuarters: "75 %", maximum: "Most",
  plan: "Physical plan", planHint: "Data flows downwards. The bar is an operator's share of the time. Choose an operator for its metrics.", operator: "Operator", noMetrics: "No metrics.", planText: "As text", fit: "Fit", zoomIn: "Larger", zoomOut: "Smaller", time: "Time", total: "total", least: "least", most: "most",
  stop: "Stop the query", stopReally: "Really stop it?", stopping: "Stopping …", sqlText: "Statement", settings: "Settings", key: "Key", value: "Value", section: "Section", sections: { runtime: "Runtime", sparkProperties: "Spark", hadoopProperties: "Hadoop", systemProperties: "System", metricsProperties: "Metrics", classpathEntries: "Class path" },
  removed: "Removed", address: "Address", timelineOf: (n) => `${n} tasks, one line per executor and slot`, tooMany: (n) => `The ${n} longest tasks`, problem: "The log is not whole", lastUpdate: "Last event", failedTasks: "failed", skipped: "skipped", download: "Download the log", succeeded: "succeeded", meter: (d, f, b, n) => `${d} done, ${f} failed, ${b} running, of ${n}`,
  status: { SUCCEEDED: "Succeeded", COMPLETE: "Complete", COMPLETED: "Completed", SUCCESS: "Succeeded", FAILED: "Failed", KILLED: "Killed", RUNNING: "Running", ACTIVE: "Active", PENDING: "Pending", SKIPPED: "Skipped", ALIVE: "Alive", DEAD: "Dead", FINISHED: "Finished", UNKNOWN: "Unknown", DECOMMISSIONED: "Decommissioned", WAITING: "Waiting" },
};

const PT = {
  name: "Português", other: "English", light: "Claro", dark: "Escuro", skip: "Ir para o conteúdo",
  live: "ao vivo", lost: "sem resposta", loading: "Carregando …", notFound: "Não há nada aqui.", failed: "Não foi possível carregar", empty: "Nada por enquanto.",
  kinds: { history: "Histórico", master: "Mestre", worker: "Worker", application: "Aplicação" },
  applications: "Aplicações", application: "Aplicação", filter: "Filtrar", rows: "linhas", page: (a, b, n) => `${a}–${b} de ${n}`, next: "Próxima", back: "Anterior",
  all: "Todas", running: "Em execução", finished: "Terminadas",
  id: "ID", title: "Nome", user: "Usuário", started: "Início", ended: "Fim", duration: "Duração", state: "Estado", log: "Registro", size: "Tamanho", version: "Versão do Spark", cores: "Núcleos", memory: "Memória", attempt: "Tentativa",
  workers: "Workers", host: "Máquina", heartbeat: "Último sinal", used: (b) => `${b} em uso`, ago: (t) => `há ${t}`, tasks: "Tarefas",
  overview: "Visão geral", jobs: "Jobs", job: "Job", stages: "Etapas", stage: "Etapa", sql: "SQL", query: "Consulta", executors: "Executores", executor: "Executor", environment: "Ambiente",
  description: "Descrição", timeline: "Linha do tempo", slowest: "Consultas mais lentas", input: "Entrada", output: "Saída", inputRows: "Linhas lidas", outputRows: "Linhas escritas", shuffleRead: "Linhas de etapas", shuffleWrite: "Linhas para etapas", bytesRead: "Bytes lidos", bytesWritten: "Bytes escritos", shuffleBytes: "Shuffle",
  spill: "Em disco", peak: "Pico de memória", cpu: "Tempo de CPU", gc: "GC", index: "Parte", locality: "Localidade", status_: "Estado", error: "Erro", launch: "Início", taskTime: "Tempo em tarefas",
  summary: "Diferenças entre tarefas", quantile: "Métrica", minimum: "Mínimo", quarter: "25 %", median: "Mediana", threeQuarters: "75 %", maximum: "Máximo",
  plan: "Plano físico", planHint: "Os dados descem. A barra é a parte do tempo de cada operador. Escolha um operador para ver suas métricas.", operator: "Operador", noMetrics: "Sem métricas.", planText: "Como texto", fit: "Ajustar", zoomIn: "Maior", zoomOut: "Menor", time: "Tempo", total: "total", least: "mínimo", most: "máximo",
  stop: "Parar a consulta", stopReally: "Parar mesmo?", stopping: "Parando …", sqlText: "Comando", settings: "Configurações", key: "Chave", value: "Valor", section: "Seção", sections: { runtime: "Execução", sparkProperties: "Spark", hadoopProperties: "Hadoop", systemProperties: "Sistema", metricsProperties: "Métricas", classpathEntries: "Class path" },
  removed: "Removido", address: "Endereço", timelineOf: (n) => `${n} tarefas, uma linha por executor e vaga`, tooMany: (n) => `As ${n} tarefas mais longas`, problem: "O registro não está inteiro", lastUpdate: "Último evento", failedTasks: "falharam", skipped: "puladas", download: "Baixar o registro", succeeded: "com sucesso", meter: (d, f, b, n) => `${d} prontas, ${f} com falha, ${b} em execução, de ${n}`,
  status: { SUCCEEDED: "Sucesso", COMPLETE: "Completa", COMPLETED: "Completa", SUCCESS: "Sucesso", FAILED: "Falhou", KILLED: "Cancelada", RUNNING: "Em execução", ACTIVE: "Ativa", PENDING: "Pendente", SKIPPED: "Pulada", ALIVE: "Ativo", DEAD: "Morto", FINISHED: "Terminada", UNKNOWN: "Desconhecido", DECOMMISSIONED: "Retirado", WAITING: "Aguardando" },
};

const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a browser that keeps nothing */ } };

let code = stored("language") ?? (navigator.language.startsWith("pt") ? "pt" : "en");

export const words = () => (code === "pt" ? PT : EN);
export const language = () => (code === "pt" ? "pt-BR" : "en-US");
export function switchLanguage() { code = code === "pt" ? "en" : "pt"; store("language", code); }

const system = matchMedia("(prefers-color-scheme: dark)");
export const theme = () => stored("theme") ?? (system.matches ? "dark" : "light");
export function switchTheme() { store("theme", theme() === "dark" ? "light" : "dark"); }
export const onSystemTheme = (fn) => system.addEventListener("change", fn);
