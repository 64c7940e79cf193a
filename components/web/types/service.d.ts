/** The JSON of the service, as docs/api.md describes it. */

export interface Message {
  id: number;
  conversationId: number;
  /** Counts the messages of a conversation from 1 without a gap. */
  ordinal: number;
  /** `null` for system messages. */
  senderId: number | null;
  kind: 'user' | 'system';
  /** `null` for tombstones. */
  content: string | null;
  clientMessageId?: string;
  replyToId?: number;
  createdAt: string;
  editedAt?: string;
  deletedAt?: string;
  /** The content is sealed, and its key is gone. */
  unreadable?: true;
}

export interface Conversation {
  id: number;
  title: string | null;
  participantIds: number[];
  createdAt: string;
  /** The title is sealed, and its key is gone. */
  unreadable?: true;
  lastActivityAt?: string;
  /** Only in lists, like `unreadCount`. */
  lastMessage?: Message | null;
  unreadCount?: number;
}

export interface Receipts {
  messageId: number;
  readBy: { userId: number; readAt: string }[];
}

/** A part of a content that matches a search, in UTF-16 code units. */
export interface Highlight {
  start: number;
  length: number;
}

export interface SearchResult {
  message: Message;
  highlights: Highlight[];
}

export interface SearchPage {
  results: SearchResult[];
  /** The cursor of the next page. */
  next: string | null;
}

/** A sign-in of a browser. */
export interface Session {
  id: number;
  /** `null` for a back end's. */
  userId: number | null;
  device: string | null;
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
  /** Whether the request came with it. */
  current: boolean;
}

/** The body of an error response (RFC 9457). */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  errors?: { field: string; message: string }[];
}

/** An event of the user's feed. */
export type FeedEvent =
  | { type: 'new-message' | 'message-edited' | 'message-deleted'; conversationId: number; message: Message }
  | { type: 'message-read'; conversationId: number; message: Message; userId: number }
  | { type: 'unread-count'; conversationId: number; count: number }
  | { type: 'typing-start'; conversationId: number; userId: number }
  | { type: 'typing-stop'; conversationId: number; userId: number }
  | { type: 'conversation-created' | 'conversation-changed'; conversationId: number }
  | { type: 'participant-joined' | 'participant-left'; conversationId: number; userId: number }
  | { type: 'online' | 'offline'; userId: number }
  | { type: 'resync' };
