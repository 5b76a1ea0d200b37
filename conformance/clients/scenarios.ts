/** What is acted out with every client, and how it must end. A table: one entry a scenario. */
import { label, type Client, type ConversationOfRun } from './client.ts'
import { closingWords, promptFor, type Plan } from './plan.ts'
import { words, type Ran } from './ran.ts'

export interface Scenario {
  readonly name: string
  readonly says: string
  /** Whether it means anything for this client. */
  readonly fits: (client: Client) => boolean
  /** What the configuration says of tools. */
  readonly policy: (client: Client) => {
    readonly packs?: readonly string[]
    readonly contracts: Readonly<Record<string, object>>
    readonly rules?: readonly object[]
  }
  /** What a person types, one run of the client after the other. */
  readonly runs: (client: Client, file: string) => readonly Run[]
  /** What must be true afterwards, in words that read after `not ok:`. */
  readonly expected: readonly Expectation[]
}

interface Run {
  readonly prompt: string
  readonly conversation: ConversationOfRun
}

interface Expectation {
  readonly what: string
  readonly holds: (ran: Ran) => boolean
}

const trusted = { output: { trust: 'trusted' } }
const untrusted = { output: { trust: 'untrusted' } }
const needsTrust = { effects: ['mutation'], output: { trust: 'trusted' }, requires: { trust: 'trusted' } }

const turnEnds: Expectation = { what: 'the client ends well', holds: ({ code }) => code === 0 }
const answerSeen: Expectation = { what: "the person sees the model's final answer", holds: ({ output }) => output.includes(closingWords) }
const knownAgain: Expectation = {
  what: 'the gateway knows its own messages when they come back',
  holds: ({ turn }) => !/label {2}unknown/.test(turn),
}
const ending = [turnEnds, answerSeen, knownAgain]
const modelSaw = (what: string, text: string): Expectation => ({
  what: `the model is shown ${what}`,
  holds: ({ results }) => results.some((result) => result.includes(text)),
})
const nothingRefused: Expectation = { what: 'nothing is refused', holds: ({ refused }) => refused.length === 0 }
const notWritten: Expectation = {
  what: 'the tool that needs trust writes nothing',
  holds: ({ notes }) => notes['written.txt'] === undefined,
}
const somethingRefused: Expectation = {
  what: 'the log holds the refusal',
  holds: ({ refused }) => refused.some(({ subject }) => subject.endsWith('notes__write_file') || subject.endsWith('notes__move_file')),
}

const asked = (plan: Plan, conversation: ConversationOfRun = 'new'): Run => ({ prompt: promptFor(plan), conversation })
// As people do: the place of a file is in what they type and in what was read of it.
const named = (file: string, { prompt, conversation }: Run): Run => ({
  prompt: `Look after the file ${file} today. ${prompt}`,
  conversation,
})
const write = { path: 'written.txt', content: 'written after reading' }

export const scenarios: readonly Scenario[] = [
  {
    name: 'day',
    says: 'reads, edits, runs a command, asks a sub-agent, reads and writes over MCP, with the pack of the client: everything runs',
    fits: () => true,
    policy: ({ name }) => ({ packs: [name], contracts: { notes__read_text_file: trusted, notes__write_file: needsTrust } }),
    runs: (client, file) => [
      asked([
        client.read(file),
        client.edit(file, words.before, words.after),
        client.run('touch ran.txt'),
        ...(client.delegate?.(promptFor([client.read(file)])) ?? []),
        ...client.mcp('notes__read_text_file', { path: 'todo.txt' }),
        ...client.mcp('notes__write_file', write),
      ]),
    ],
    expected: [
      modelSaw('the file', words.before),
      { what: 'the file is edited', holds: ({ project }) => project['README.md']?.includes(words.after) === true },
      { what: 'the command runs', holds: ({ project }) => project['ran.txt'] !== undefined },
      modelSaw('the note read over MCP', words.note),
      { what: 'the tool that needs trust writes', holds: ({ notes }) => notes['written.txt'] !== undefined },
      nothingRefused,
      { what: 'the pack describes every tool the client offers', holds: ({ undescribed }) => undescribed.length === 0 },
      ...ending,
    ],
  },
  {
    name: 'own-reader',
    says: 'reads untrusted text with its own tool, then writes over MCP: nothing is written',
    fits: ({ governed }) => governed === 'models-and-tools',
    policy: ({ reader }) => ({ contracts: { '*': trusted, [reader]: untrusted, notes__write_file: needsTrust } }),
    // By the client's own name for it, by the name of another client, and by its bare name.
    runs: (client, file) => [
      asked([
        client.read(file),
        ...client.mcp('notes__write_file', write),
        { name: `mcp__${label}__notes__write_file`, args: write },
        { name: 'notes__write_file', args: write },
      ]),
    ],
    expected: [modelSaw('the file', words.before), notWritten, somethingRefused, ...ending],
  },
  {
    name: 'mcp-reader',
    says: 'reads untrusted text over MCP, then writes over MCP: nothing is written',
    fits: () => true,
    policy: () => ({ contracts: { '*': trusted, notes__read_text_file: untrusted, notes__write_file: needsTrust } }),
    runs: (client) => [asked([...client.mcp('notes__read_text_file', { path: 'todo.txt' }), ...client.mcp('notes__write_file', write)])],
    expected: [modelSaw('the note read over MCP', words.note), notWritten, somethingRefused, ...ending],
  },
  {
    name: 'delegate',
    says: 'a sub-agent reads untrusted text, then the agent that sent it writes over MCP: nothing is written',
    fits: ({ delegate }) => delegate !== undefined,
    policy: ({ reader }) => ({ contracts: { '*': trusted, [reader]: untrusted, notes__write_file: needsTrust } }),
    runs: (client, file) => [
      asked([...(client.delegate?.(promptFor([client.read(file)])) ?? []), ...client.mcp('notes__write_file', write)]),
    ],
    expected: [
      modelSaw('the file', words.before),
      modelSaw("the sub-agent's return", closingWords),
      notWritten,
      somethingRefused,
      ...ending,
    ],
  },
  {
    name: 'forked',
    says: 'reads untrusted text, then writes over MCP from a copy of the conversation: nothing is written',
    fits: ({ flags }) => flags !== undefined,
    policy: ({ reader }) => ({ contracts: { '*': trusted, [reader]: untrusted, notes__write_file: needsTrust } }),
    runs: (client, file) => [asked([client.read(file)]), asked(client.mcp('notes__write_file', write), 'fork')],
    expected: [modelSaw('the file', words.before), notWritten, somethingRefused, ...ending],
  },
  {
    name: 'afresh',
    says: 'reads untrusted text; a new conversation, which has not, runs a command and writes over MCP: everything runs',
    // Whose commands are what it reads with has read as soon as it runs one.
    fits: ({ governed, reader, run }) => governed === 'models-and-tools' && run('').name !== reader,
    policy: ({ name, reader }) => ({ packs: [name], contracts: { [reader]: untrusted, notes__write_file: needsTrust } }),
    runs: (client, file) => [
      asked([client.read(file)]),
      named(file, asked([client.run('touch ran.txt'), ...client.mcp('notes__write_file', write)])),
    ],
    expected: [
      modelSaw('the file', words.before),
      { what: 'the command runs', holds: ({ project }) => project['ran.txt'] !== undefined },
      { what: 'the tool that needs trust writes', holds: ({ notes }) => notes['written.txt'] !== undefined },
      nothingRefused,
      ...ending,
    ],
  },
  {
    name: 'again',
    says: 'writes over MCP and then reads untrusted text, twice, by the same words: the second conversation is not the first',
    fits: ({ governed }) => governed === 'models-and-tools',
    policy: ({ name, reader }) => ({ packs: [name], contracts: { [reader]: untrusted, notes__write_file: needsTrust } }),
    runs: (client, file) => {
      const same = named(file, asked([...client.mcp('notes__write_file', write), client.read(file)]))
      return [same, same]
    },
    expected: [
      { what: 'the tool that needs trust writes', holds: ({ notes }) => notes['written.txt'] !== undefined },
      modelSaw('the file', words.before),
      nothingRefused,
      ...ending,
    ],
  },
  {
    name: 'compacted',
    says: 'reads untrusted text, has the conversation summarised, then writes over MCP: nothing is written',
    fits: ({ compact }) => compact !== undefined,
    policy: ({ reader }) => ({ contracts: { '*': trusted, [reader]: untrusted, notes__write_file: needsTrust } }),
    runs: (client, file) => [
      asked([client.read(file)]),
      { prompt: client.compact ?? '', conversation: 'same' },
      asked(client.mcp('notes__write_file', write), 'same'),
    ],
    expected: [
      modelSaw('the file', words.before),
      { what: 'the history is replaced by a summary', holds: ({ summaries }) => summaries > 0 },
      notWritten,
      somethingRefused,
      ...ending,
    ],
  },
  {
    name: 'refused',
    says: 'a tool is refused between two that run: the turn goes on to its end',
    fits: () => true,
    // The rule reads the arguments, so the tool stays in every list and is refused only when it is called.
    policy: () => ({
      contracts: { '*': trusted },
      rules: [
        {
          name: 'stays',
          when: "tool.name == 'notes__move_file' && args.destination == 'moved.txt'",
          verdict: 'deny',
          reason: 'This note stays.',
        },
      ],
    }),
    runs: (client, file) => [
      asked([
        client.read(file),
        ...client.mcp('notes__move_file', { source: 'todo.txt', destination: 'moved.txt' }),
        client.run('touch ran.txt'),
        ...client.mcp('notes__read_text_file', { path: 'todo.txt' }),
      ]),
    ],
    expected: [
      modelSaw('the file', words.before),
      { what: 'the refused tool does nothing', holds: ({ notes }) => notes['moved.txt'] === undefined && notes['todo.txt'] !== undefined },
      somethingRefused,
      { what: 'what comes after the refusal runs', holds: ({ project }) => project['ran.txt'] !== undefined },
      modelSaw('the note read over MCP', words.note),
      ...ending,
    ],
  },
]
