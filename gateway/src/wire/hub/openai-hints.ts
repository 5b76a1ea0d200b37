/** Hints that both dialects of OpenAI word alike. */
export const openAiHints = ['metadata', 'service_tier', 'prompt_cache_key', 'prompt_cache_retention'] as const
