/** Confluence as `mcp-atlassian` shows it. */
import type { ContractPack } from '../pack.ts'
import { each, edits, posts, readsOthers, withRoles, words } from './kinds.ts'

const says = posts(
  'Everybody who may see the space reads it, and is told by mail: after untrusted reads the place, and links, need a source no stranger writes; what is restricted is not told.',
)

export const confluence: ContractPack = {
  name: 'confluence',
  version: 2,
  of: 'PyPI mcp-atlassian',
  contracts: {
    ...each(
      [
        'confluence_search',
        'confluence_get_page',
        'confluence_get_page_children',
        'confluence_get_space_page_tree',
        'confluence_get_comments',
        'confluence_get_labels',
        'confluence_get_inline_comments',
        'confluence_search_user',
        'confluence_get_page_history',
        'confluence_get_page_diff',
        'confluence_get_page_views',
        'confluence_get_attachments',
        'confluence_download_attachment',
        'confluence_download_content_attachments',
        'confluence_get_page_images',
        'confluence_list_page_templates',
        'confluence_get_page_template',
        'confluence_get_page_restrictions',
        'confluence_check_content_permissions',
        'confluence_get_space_permissions',
      ],
      readsOthers('Pages, comments, attachments and labels are written by all who may edit the space.'),
    ),
    ...each(
      [
        'confluence_add_label',
        'confluence_create_page_from_template',
        'confluence_add_inline_comment',
        'confluence_upload_attachment',
        'confluence_upload_attachments',
      ],
      posts('Everybody who may see the space reads it, and is told by mail.'),
    ),
    confluence_create_page: withRoles(says, {
      space_key: 'destination',
      space_id: 'destination',
      parent_id: 'destination',
      title: words,
      content: words,
      content_format: 'content',
    }),
    // Older releases call the words `content`.
    confluence_add_comment: withRoles(says, { page_id: 'destination', body: words, content: words }),
    confluence_reply_to_comment: withRoles(says, { comment_id: 'destination', body: words, content: words }),
    ...each(
      [
        'confluence_update_page',
        'confluence_update_page_section',
        'confluence_delete_page',
        'confluence_move_page',
        'confluence_delete_attachment',
        'confluence_set_page_restrictions',
        'confluence_copy_page',
      ],
      edits('Changes what others see and gives back what stood there.'),
    ),
  },
}
