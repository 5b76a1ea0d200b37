/** What every plugin that reads requests can be told, and needs not be told here. */
export const ofRequests: Readonly<Record<string, string>> = {
  llm_format: 'it holds for every dialect',
  genai_category: 'what a request is for shows in its path',
  max_request_body_size: 'one limit holds for all requests: `limits.max_body_bytes`',
}
