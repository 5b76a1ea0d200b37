/**
 * The little a writer must know from a model's name: which of two spellings of a field its server takes, and which hints it
 * refuses. Only for hints, field names and limits; never for anything that decides or changes what is said.
 */

/** The name without routing prefixes such as `openai/` or `us.anthropic.`. */
function bareName(model: string): string {
  const last = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const claude = last.indexOf('claude')
  return claude > 0 ? last.slice(claude) : last
}

/** Models that OpenAI serves: they know `max_completion_tokens` and refuse unknown message fields. */
export function isOpenAiModel(model: string): boolean {
  const name = bareName(model)
  return name.startsWith('gpt-') || name.startsWith('chatgpt-') || (name.startsWith('o') && name.charAt(1) >= '1' && name.charAt(1) <= '9')
}

/** Chat models known to refuse `reasoning_effort` with an error. */
export function refusesReasoningEffort(model: string): boolean {
  const name = bareName(model)
  return name.startsWith('gpt-3') || name.startsWith('gpt-4') || name.startsWith('chatgpt-4')
}

/** Signed thinking means something to Claude only, wherever it is served. */
export function isClaudeModel(model: string): boolean {
  return bareName(model).startsWith('claude')
}

/**
 * Version of a Claude model as major * 100 + minor (`claude-opus-4-6` is 406); undefined when the name has none.
 * Both orders of the name exist: `claude-3-7-sonnet-20250219`, `claude-haiku-4-5-20251001`. Dates are not versions.
 */
export function claudeVersion(model: string): number | undefined {
  if (!isClaudeModel(model)) return undefined
  const parts = bareName(model).split(/[-.@:]/)
  const at = parts.findIndex((part) => isSmallNumber(part))
  if (at < 0) return undefined
  const minor = parts[at + 1]
  return Number(parts[at]) * 100 + (isSmallNumber(minor) ? Number(minor) : 0)
}

function isSmallNumber(part: string | undefined): boolean {
  return part !== undefined && part.length > 0 && part.length <= 2 && Number.isInteger(Number(part))
}

/** Models that think before they answer and refuse every sampling hint but the default. */
export function refusesSampling(model: string): boolean {
  const name = bareName(model)
  if (isClaudeModel(model)) return (claudeVersion(model) ?? 0) >= 407
  return isOpenAiModel(model) && (name.startsWith('o') || (name.startsWith('gpt-5') && !name.startsWith('gpt-5-chat')))
}

/** Claude models that refuse a temperature beside `top_p`. */
export function takesOneSampling(model: string): boolean {
  return (claudeVersion(model) ?? 0) >= 401
}

/** Version of a Gemini model as major * 10 + minor (`gemini-2.5-pro` is 25); 0 when the name has none. */
export function geminiVersion(model: string): number {
  const [, major = '0', minor = '0'] = /gemini-(\d{1,2})(?:\.(\d))?(?!\d)/.exec(bareName(model)) ?? []
  return Number(major) * 10 + Number(minor)
}

const mistralNames = ['mistral', 'ministral', 'open-mistral', 'codestral', 'magistral', 'devstral', 'pixtral', 'voxtral']

/** Mistral's models, wherever they are served: their calls have ids of exactly nine letters and digits. */
export function isMistralModel(model: string): boolean {
  const name = bareName(model)
  return mistralNames.some((start) => name.startsWith(start))
}
