/**
 * Every field of a request that a lens, an edit or a conversion reads, in the only spelling it is read in. The JSON
 * guard refuses other spellings of these names, because some upstreams read keys without regard to case.
 */
export const fieldsWeRead: ReadonlySet<string> = new Set([
  'model', 'messages', 'stream', 'stream_options', 'include_usage', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call',
  'n', 'system', 'mcp_servers', 'web_search_options', 'allowed_tools', 'mode', 'disable_parallel_tool_use', 'max_tokens', 'max_completion_tokens', 'role',
  'content', 'text', 'refusal', 'type', 'name', 'tool_calls', 'tool_call_id', 'tool_use_id', 'function', 'custom',
  'arguments', 'input', 'id', 'is_error', 'source', 'image_url', 'input_audio', 'file', 'url', 'data',
  'media_type', 'thinking', 'signature', 'thinking_blocks', 'reasoning_content', 'parameters', 'input_schema', 'description', 'metadata', 'user_id',
  'container', 'response_format', 'output_config', 'stop', 'stop_sequences',
])
