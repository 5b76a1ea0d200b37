/** Notion’s own server, `@notionhq/notion-mcp-server`, whose tools are the operations of its API. */
import type { ContractPack, PackArguments } from '../pack.ts'
import { each, edits, posts, readsOthers, readsOwn, withRoles, words } from './kinds.ts'

const pages = readsOthers('Pages, comments and rows are written by all who may edit them, guests and forms among them.')

const says = posts(
  'Everybody who may see the page reads it, and a page may be public: after untrusted reads the place, and links, need a source no stranger writes; what is restricted is not told.',
)
const places: PackArguments = {
  'parent.type': 'content',
  'parent.page_id': 'destination',
  'parent.block_id': 'destination',
  'parent.database_id': 'destination',
  'parent.data_source_id': 'destination',
}

export const notion: ContractPack = {
  name: 'notion',
  version: 2,
  of: 'npm @notionhq/notion-mcp-server',
  contracts: {
    'API-get-self': readsOwn('The integration itself.'),
    ...each(['API-get-user', 'API-get-users'], readsOthers('Names of people are what they chose.')),
    ...each(['API-post-search', 'API-get-block-children', 'API-retrieve-a-block', 'API-retrieve-a-page'], pages),
    ...each(['API-retrieve-a-page-property', 'API-retrieve-page-markdown', 'API-retrieve-a-comment'], pages),
    ...each(['API-query-data-source', 'API-retrieve-a-data-source', 'API-list-data-source-templates', 'API-retrieve-a-database'], pages),
    'API-create-a-comment': withRoles(says, { ...places, rich_text: words }),
    'API-post-page': withRoles(says, { ...places, properties: words, children: words, icon: words, cover: words }),
    'API-create-a-data-source': withRoles(says, { ...places, properties: words, title: words }),
    ...each(
      [
        'API-patch-block-children',
        'API-update-a-block',
        'API-delete-a-block',
        'API-patch-page',
        'API-move-page',
        'API-update-page-markdown',
        'API-update-a-data-source',
      ],
      edits('Changes what others see and gives back what stood there.'),
    ),
  },
}
