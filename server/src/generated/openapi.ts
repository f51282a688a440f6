// Generated from openapi.yaml by `npm run generate`. Do not edit.
export interface paths {
    "/ws/connect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Open a WebSocket as an account of an application
         * @description A WebSocket handshake (RFC 6455). Without a subprotocol it speaks the classic frames: 101 is sent once this node receives messages for the account;
         *     a refusal is an HTTP status with the classic body; frames are `ClassicMessage` from the server, `ClassicSend` from the client.
         *     Offering the subprotocol `xlvein.v2.json` it speaks the full protocol: `HelloFrame` first, then the frames whose schemas end in `Frame` from the
         *     server and in `Op` from the client; a refusal is a close code. The token may then travel as a second offer, `xlvein.token.<jwt>`.
         */
        get: operations["connect"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/im/push": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Push a message to one account (classic)
         * @description Authenticated by `sign`, by a bearer token or not at all (`open`), as the application's `push_auth` allows.
         *     Always answers HTTP 200; `error` tells. A `nonce` seen before with the same body gets the first answer again and delivers nothing twice.
         */
        post: operations["classicPush"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Push one message to accounts, rooms or everyone */
        post: operations["push"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Push up to 1,000 different messages in one request
         * @description Messages are accepted in order; each has its own result at the same index, so one bad message does not stop the others.
         */
        post: operations["pushMany"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/connections": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        /** List the live connections of an account */
        get: operations["connections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/disconnect": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close connections of an account
         * @description Closes every connection of the account, or the one named, with close code 4010. Clients that obey the close codes do not come back by themselves.
         */
        post: operations["disconnect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        /**
         * List the rooms that an account was added to
         * @description Rooms that only a token opens are not in it.
         */
        get: operations["accountRooms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        /**
         * Read what an account was sent
         * @description The account's stream, as far as it is kept. Without `after` the newest messages; with it those that follow.
         */
        get: operations["accountHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/members": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        /**
         * List the accounts that were added to a room
         * @description In the order of their names; page by page. Accounts that only a token lets in are not in it.
         */
        get: operations["roomMembers"];
        put?: never;
        /**
         * Add accounts to a room
         * @description They may enter the room from now on, until they are removed: membership has no end of its own. Connected classic clients get what is sent there from now on; v2 clients are told (`sub`). Adding again does no harm.
         */
        post: operations["addRoomMembers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/members/remove": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove accounts from a room
         * @description Their connections leave the room, unless a token opens it to them. Removing an account that is no member does no harm.
         */
        post: operations["removeRoomMembers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        /**
         * Read what was sent to a room
         * @description The room's stream, as far as it is kept. Without `after` the newest messages; with it those that follow.
         */
        get: operations["roomHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The public name of an application */
        AppKey: string;
        /** @description Whoever a token names (`sub`): any text the application chooses */
        Account: string;
        /** @description A client's name for its device */
        DeviceId: string;
        /** @description The name of a room: any text without `*` */
        Room: string;
        /** @description The same key with the same body within 5 minutes gets the first result again and delivers nothing twice */
        IdempotencyKey: string;
        /** @description Where the slow policy is `conflate`, a later message with the same key replaces this one for a client that is behind */
        ConflationKey: string;
        /** @description A W3C `traceparent`, passed through to the receivers */
        Trace: string;
        /** @description Names the numbering of a stream. Another epoch means that the store has lost or replaced it */
        Epoch: string;
        /** @description Counts the messages of the epoch without a gap, from 1 */
        Offset: number;
        /** @description `epoch:offset:msg_id`; without a message yet `epoch:0:` */
        PositionText: string;
        /** @description A message's unique id (UUIDv7) */
        MsgId: string;
        /** @description The message's body: any JSON object, passed through unchanged */
        Data: {
            [key: string]: unknown;
        };
        /** @description Server → client, one text frame. */
        ClassicMessage: {
            /** @description The sender's account; absent on a push by the backend */
            from?: string;
            to: components["schemas"]["Account"];
            /**
             * @description 0 a push by the backend, 1 a client's message, 2 a message in a room
             * @enum {integer}
             */
            event: 0 | 1 | 2;
            data: components["schemas"]["Data"];
            msg_id: components["schemas"]["MsgId"];
            /** @description Milliseconds since 1970-01-01T00:00:00Z */
            send_at: number;
            /** @description `to`, for client messages; absent on a push */
            conversation_id?: string;
        };
        /** @description Client → server, one text frame. Unknown members are ignored; a frame that does not fit is skipped and counted. */
        ClassicSend: {
            to: components["schemas"]["Account"];
            data: components["schemas"]["Data"];
        };
        /** @description A place in a stream; where no message has been yet, offset 0 and an empty msg_id. */
        Position: {
            epoch: components["schemas"]["Epoch"];
            offset: number;
            msg_id: string;
        };
        /** @description The client's own number or name for a request; its answer carries it */
        OpId: number | string;
        /**
         * @description The stream of this connection's account, or of its application
         * @enum {string}
         */
        StreamName: "account" | "app";
        /**
         * @description What a client may do: send to accounts, publish to rooms, read history
         * @enum {string}
         */
        Right: "direct" | "publish" | "history";
        /** @description How a stream goes on for this connection. */
        StreamState: {
            /** @description Where the stream is: what comes live has a higher offset. Absent where the store cannot tell */
            position?: components["schemas"]["Position"];
            /** @description Answers a position: true, every missed message follows in order; false, none does */
            recovered?: boolean;
            /**
             * @description Why `recovered` is false
             * @enum {string}
             */
            reason?: "epoch_changed" | "too_old" | "too_many" | "store_unavailable";
        };
        /** @description Server → client, the first frame: from now on this connection receives. */
        HelloFrame: {
            /** @constant */
            op: "hello";
            connection_id: string;
            account: components["schemas"]["Account"];
            device_id?: components["schemas"]["DeviceId"];
            server_version: string;
            /** @description A `ping` comes when nothing else was sent for this long */
            ping_ms: number;
            max_frame_bytes: number;
            /** @description Whether the store keeps what a client misses */
            recoverable: boolean;
            /** @description The server's clock, milliseconds since 1970 */
            time: number;
            /** @description When the token expires, milliseconds since 1970; absent when it does not */
            expires_at?: number;
            rights: components["schemas"]["Right"][];
            /** @description Rooms that the backend added the account to */
            rooms: components["schemas"]["Room"][];
            streams: {
                account: components["schemas"]["StreamState"];
                app: components["schemas"]["StreamState"];
            };
        };
        /** @description Server → client: a message. `to` is there in the account's stream, `room` in a room's, neither in the application's. */
        MessageFrame: {
            /** @description The sender's account; absent on a push by the backend */
            from?: string;
            to?: components["schemas"]["Account"];
            room?: components["schemas"]["Room"];
            /**
             * @description 0 a push by the backend, 1 a client's message, 2 a message in a room
             * @enum {integer}
             */
            event: 0 | 1 | 2;
            data: components["schemas"]["Data"];
            msg_id: components["schemas"]["MsgId"];
            /** @description Milliseconds since 1970-01-01T00:00:00Z */
            send_at: number;
            /** @description `to` of a client's message, the room in a room; absent on a push */
            conversation_id?: string;
            key?: components["schemas"]["ConflationKey"];
            trace?: components["schemas"]["Trace"];
            epoch?: components["schemas"]["Epoch"];
            offset?: components["schemas"]["Offset"];
        };
        /** @description Client → server: subscribe to a room. Answered with SubReply. */
        SubOp: {
            /** @constant */
            op: "sub";
            id: components["schemas"]["OpId"];
            room: components["schemas"]["Room"];
            /** @description Where the client was before; what it missed follows the answer */
            position?: components["schemas"]["Position"];
            /** @description A room token, where neither the connect token nor the backend has let the account in */
            token?: string;
        };
        SubReply: {
            /** @constant */
            op: "reply";
            id: components["schemas"]["OpId"];
            room: components["schemas"]["Room"];
            position?: components["schemas"]["Position"];
            recovered?: boolean;
            /** @enum {string} */
            reason?: "epoch_changed" | "too_old" | "too_many" | "store_unavailable";
        };
        /** @description Client → server: leave a room. Answered with `reply`, also when it was not in it. */
        UnsubOp: {
            /** @constant */
            op: "unsub";
            id: components["schemas"]["OpId"];
            room: components["schemas"]["Room"];
        };
        /** @description Client → server: a message to an account (`to`) or to a room (`room`), one of them. Answered with PubReply once it has been accepted. */
        PubOp: {
            /** @constant */
            op: "pub";
            id: components["schemas"]["OpId"];
            to?: components["schemas"]["Account"];
            room?: components["schemas"]["Room"];
            data: components["schemas"]["Data"];
            idempotency_key?: components["schemas"]["IdempotencyKey"];
            key?: components["schemas"]["ConflationKey"];
            /** @description This connection is not sent the message */
            exclude_self?: boolean;
            trace?: components["schemas"]["Trace"];
        };
        PubReply: {
            /** @constant */
            op: "reply";
            id: components["schemas"]["OpId"];
            msg_id: components["schemas"]["MsgId"];
            /** @description The idempotency key was seen before; nothing was delivered again */
            duplicate: boolean;
            epoch?: components["schemas"]["Epoch"];
            offset?: components["schemas"]["Offset"];
        };
        /** @description Client → server: read a stream back; of a room the connection has subscribed to (`room`), or of its own account or application (`stream`), one of them. Answered with HistoryReply. */
        HistoryOp: {
            /** @constant */
            op: "history";
            id: components["schemas"]["OpId"];
            room?: components["schemas"]["Room"];
            stream?: components["schemas"]["StreamName"];
            /** @description Messages after this place, oldest first; without it the newest */
            after?: {
                epoch: components["schemas"]["Epoch"];
                offset: number;
            };
            /** @description The newest messages before this offset; not together with `after` */
            before?: components["schemas"]["Offset"];
            /**
             * @description Messages at most; fewer when they are large
             * @default 100
             */
            limit: number;
        };
        History: {
            /** @description Oldest first */
            messages: components["schemas"]["MessageFrame"][];
            /** @description Where the stream is */
            position: components["schemas"]["Position"];
            /** @description Whether the same direction has more: later ones with `after`, older ones without */
            more: boolean;
        };
        HistoryReply: {
            /** @constant */
            op: "reply";
            id: components["schemas"]["OpId"];
            messages: components["schemas"]["MessageFrame"][];
            position: components["schemas"]["Position"];
            more: boolean;
        };
        /** @description Client → server: a new connect token of the same account; its rights and rooms replace the old ones. Answered with RefreshReply. */
        RefreshOp: {
            /** @constant */
            op: "refresh";
            id: components["schemas"]["OpId"];
            token: string;
        };
        RefreshReply: {
            /** @constant */
            op: "reply";
            id: components["schemas"]["OpId"];
            /** @description Milliseconds since 1970; absent when the token does not expire */
            expires_at?: number;
            rights: components["schemas"]["Right"][];
        };
        /** @description Server → client: an op was done. What else it holds depends on the op. */
        Reply: {
            /** @constant */
            op: "reply";
            id: components["schemas"]["OpId"];
        };
        /** @description Server → client: an op was not done. `id` is absent when the frame had none that could be read. */
        ErrorFrame: {
            /** @constant */
            op: "error";
            id?: components["schemas"]["OpId"];
            code: components["schemas"]["ErrorCode"];
            message: string;
            retryable: boolean;
            retry_after_ms?: number;
        };
        /** @description Server → client, in its place among the stream's messages: some are not sent. One of `room` and `stream`. */
        GapFrame: {
            /** @constant */
            op: "gap";
            room?: components["schemas"]["Room"];
            stream?: components["schemas"]["StreamName"];
            /**
             * @description `lost`: the store has them no more · `dropped`: the client was too slow; `history` has them · `conflated`: later messages replace them
             * @enum {string}
             */
            reason: "lost" | "dropped" | "conflated";
            /** @description The epoch that the stream goes on with */
            epoch?: components["schemas"]["Epoch"];
            /** @description The first offset that is missing; absent when nobody knows (another epoch began) */
            from?: components["schemas"]["Offset"];
            /** @description The last one */
            to?: components["schemas"]["Offset"];
        };
        /** @description Server → client: `sub`, the backend has added the account to the room, which may be subscribed to now; `unsub`, this connection is no longer in the room. */
        MembershipFrame: {
            /** @enum {string} */
            op: "sub" | "unsub";
            room: components["schemas"]["Room"];
            /**
             * @description Of `unsub`: the backend removed the account · a refreshed token no longer allows it · the room token has expired
             * @enum {string}
             */
            reason?: "removed" | "not_authorised" | "token_expired";
        };
        /** @description Server → client: this node is going; the connection will be closed (4200) within this time. */
        DrainFrame: {
            /** @constant */
            op: "drain";
            within_ms: number;
        };
        /** @description Either way; answered with `pong`, which carries the `id` if there was one. */
        PingFrame: {
            /** @enum {string} */
            op: "ping" | "pong";
            id?: components["schemas"]["OpId"];
        };
        /** @description Every frame that a server of `xlvein.v2.json` sends; those without `op` are messages. */
        ServerFrame: components["schemas"]["HelloFrame"] | components["schemas"]["MessageFrame"] | components["schemas"]["SubReply"] | components["schemas"]["PubReply"] | components["schemas"]["HistoryReply"] | components["schemas"]["RefreshReply"] | components["schemas"]["Reply"] | components["schemas"]["ErrorFrame"] | components["schemas"]["GapFrame"] | components["schemas"]["MembershipFrame"] | components["schemas"]["DrainFrame"] | components["schemas"]["PingFrame"];
        /** @description Every frame that a client of `xlvein.v2.json` sends. */
        ClientOp: components["schemas"]["SubOp"] | components["schemas"]["UnsubOp"] | components["schemas"]["PubOp"] | components["schemas"]["HistoryOp"] | components["schemas"]["RefreshOp"] | components["schemas"]["PingFrame"];
        RoomList: {
            rooms: components["schemas"]["Room"][];
        };
        MemberList: {
            members: components["schemas"]["Account"][];
            /** @description The `cursor` of the next page; absent on the last */
            next?: string;
        };
        Members: {
            accounts: components["schemas"]["Account"][];
        };
        ClassicPushForm: {
            app_key: components["schemas"]["AppKey"];
            send_to: components["schemas"]["Account"];
            /** @description A JSON object as text */
            message: string;
            /** @description Random text; remembered for the app's `nonce_ttl_seconds` */
            nonce: string;
            /** @description Upper-case hex MD5 of `app_key=…&message=…&nonce=…&send_to=…&key=APP_SECRET` */
            sign?: string;
        };
        ClassicPushJson: {
            app_key: components["schemas"]["AppKey"];
            send_to: components["schemas"]["Account"];
            /** @description A JSON object, as text or as an object. `sign` covers the text exactly as it stands in the body. */
            message: string | Record<string, never>;
            /** @description Random text; remembered for the app's `nonce_ttl_seconds` */
            nonce: string;
            /** @description Upper-case hex MD5 of `app_key=…&message=…&nonce=…&send_to=…&key=APP_SECRET` */
            sign?: string;
        };
        ClassicReply: {
            error: components["schemas"]["ErrorCode"];
            /** @description Empty when accepted; else a sentence */
            message: string;
            data: Record<string, never>;
        };
        ConnectRefusal: {
            error: components["schemas"]["ErrorCode"];
            message: string;
        };
        /** @description At least one of `accounts`, `rooms` and `everyone`. */
        Push: {
            /** @description Who receives the message */
            accounts?: components["schemas"]["Account"][];
            /** @description Rooms whose subscribers receive it, with `event` 2 */
            rooms?: components["schemas"]["Room"][];
            /**
             * @description Every connection of the application receives it
             * @constant
             */
            everyone?: true;
            data: components["schemas"]["Data"];
            idempotency_key?: components["schemas"]["IdempotencyKey"];
            key?: components["schemas"]["ConflationKey"];
            /** @description A `connection_id` that is not sent the message: that of the client that caused it */
            exclude?: string;
            trace?: components["schemas"]["Trace"];
        };
        PushResult: {
            msg_id: components["schemas"]["MsgId"];
            /** @description The idempotency key was seen before; nothing was delivered again */
            duplicate: boolean;
            /** @description Where the message stands in each stream: those of `accounts`, then those of `rooms`, then everyone's, in the order of the request; of a duplicate, where the first stands. Absent where the store keeps no streams. */
            streams?: components["schemas"]["StreamPosition"][];
        };
        /** @description Of an account, of a room, or (with neither) of everyone. */
        StreamPosition: {
            account?: components["schemas"]["Account"];
            room?: components["schemas"]["Room"];
            epoch: components["schemas"]["Epoch"];
            offset: components["schemas"]["Offset"];
        };
        PushBatch: {
            messages: components["schemas"]["Push"][];
        };
        PushBatchResult: {
            results: (components["schemas"]["PushResult"] | components["schemas"]["PushFailure"])[];
        };
        PushFailure: {
            error: {
                code: components["schemas"]["ErrorCode"];
                message: string;
                retryable: boolean;
            };
        };
        ConnectionList: {
            connections: components["schemas"]["Connection"][];
        };
        Connection: {
            connection_id: string;
            /** @enum {string} */
            protocol: "classic" | "v2";
            /** @description Milliseconds since 1970-01-01T00:00:00Z */
            connected_at: number;
            device_id?: components["schemas"]["DeviceId"];
        };
        Disconnect: {
            /** @description Only this connection; every one of the account when absent */
            connection_id?: string;
        };
        /** @description RFC 9457, with a stable `code`. */
        Problem: {
            /** @description `urn:xlvein:error:<code>` */
            type: string;
            title: string;
            status: number;
            code: components["schemas"]["ErrorCode"];
            /** @description What is wrong and where */
            detail: string;
            request_id: string;
            /** @description The same request may succeed later */
            retryable: boolean;
            /** @description One entry for each field at fault */
            errors?: {
                field: string;
                message: string;
            }[];
        };
        /**
         * @description Stable; never reused.
         * @enum {integer}
         */
        ErrorCode: 0 | 400 | 404 | 405 | 408 | 413 | 415 | 500 | 504 | 600 | 1000 | 1001 | 1002 | 1003 | 1004 | 1005 | 1006 | 1007 | 1008 | 1009 | 1010 | 1011 | 1012 | 1013;
        /**
         * @description WebSocket close codes. By range: 1xxx as RFC 6455 says; 4000–4099 stop; 4100–4199 come back after at least 1 s with jitter; 4200–4299 come back at once or after the hint.
         * @enum {integer}
         */
        CloseCode: 1000 | 1002 | 1003 | 1007 | 1008 | 1009 | 1011 | 1012 | 1013 | 4000 | 4001 | 4003 | 4005 | 4007 | 4009 | 4010 | 4011 | 4100 | 4101 | 4102 | 4103 | 4104 | 4200 | 4201 | 4202 | 4203 | 4204 | 4205;
    };
    responses: {
        /** @description The handshake is refused; `error` tells why. */
        ConnectRefused: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "error": 1000,
                 *       "message": "token: signature does not match"
                 *     }
                 */
                "application/json": components["schemas"]["ConnectRefusal"];
            };
        };
        /** @description The request is malformed; `errors` names each field. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The bearer token is missing or invalid. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The application is disabled, or does not accept this scheme. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The application named by the token does not exist. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `after` is not in the stream: another epoch, or what followed it is no longer kept. */
        Gone: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The idempotency key was used before with another body. */
        Conflict: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body or a message is larger than the limit. */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The application's rate limit is used up. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A fault of the server; the log has the request id. */
        InternalError: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "urn:xlvein:error:400",
                 *       "title": "Bad request",
                 *       "status": 400,
                 *       "code": 400,
                 *       "detail": "body.accounts must be an array",
                 *       "request_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                 *       "retryable": false,
                 *       "errors": [
                 *         {
                 *           "field": "body.accounts",
                 *           "message": "must be an array"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The exchange or the store cannot take the message now; nothing was delivered or remembered as done. Try again. */
        Unavailable: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description The account, percent-encoded
         * @example user_1
         */
        Account: components["schemas"]["Account"];
        /**
         * @description The room, percent-encoded
         * @example chat:1
         */
        Room: components["schemas"]["Room"];
        /**
         * @description `epoch:offset`: messages after this place, oldest first
         * @example k3vZ8Qa1.0:16
         */
        After: string;
        /**
         * @description Messages before this offset: the newest of them. Not together with `after`
         * @example 17
         */
        Before: number;
        /**
         * @description Messages at most
         * @example 50
         */
        Limit: number;
    };
    requestBodies: never;
    headers: {
        /**
         * @description Seconds to wait before trying again
         * @example 1
         */
        RetryAfter: number;
        /**
         * @description The id of this request, also in the server's log
         * @example 0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11
         */
        RequestId: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    connect: {
        parameters: {
            query: {
                /**
                 * @description The application's `app_key`
                 * @example test
                 */
                app_id: components["schemas"]["AppKey"];
                /**
                 * @description A JWT signed with the application's secret; `sub` names the account. Required, unless it is offered as a subprotocol
                 * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1c2VyXzEifQ.pRvQ
                 */
                token?: string;
                /**
                 * @description A name the client keeps for this device
                 * @example phone-1
                 */
                device_id?: components["schemas"]["DeviceId"];
                /**
                 * @description v2 only: `epoch:offset:msg_id`, where the client is in its account's stream
                 * @example k3vZ8Qa1.0:17:0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11
                 */
                account_position?: components["schemas"]["PositionText"];
                /**
                 * @description v2 only: the same in the application's stream
                 * @example p0QaT7x2.1:0:
                 */
                app_position?: components["schemas"]["PositionText"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Switching protocols. The account is reachable from now on. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ConnectRefused"];
            401: components["responses"]["ConnectRefused"];
            403: components["responses"]["ConnectRefused"];
            404: components["responses"]["ConnectRefused"];
            429: components["responses"]["ConnectRefused"];
            503: components["responses"]["ConnectRefused"];
        };
    };
    classicPush: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "app_key": "test",
                 *       "send_to": "user_1",
                 *       "message": "{\"text\":\"123123123123123\"}",
                 *       "nonce": "abcdEFGH12345678",
                 *       "sign": "261B998DA9BEC7C5F01D5AFBC412CA98"
                 *     }
                 */
                "application/x-www-form-urlencoded": components["schemas"]["ClassicPushForm"];
                /**
                 * @example {
                 *       "app_key": "test",
                 *       "send_to": "user_1",
                 *       "message": "{\"text\":\"123123123123123\"}",
                 *       "nonce": "abcdEFGH12345678",
                 *       "sign": "261B998DA9BEC7C5F01D5AFBC412CA98"
                 *     }
                 */
                "application/json": components["schemas"]["ClassicPushJson"];
            };
        };
        responses: {
            /** @description The classic answer; `error` 0 means that the message was accepted. */
            200: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClassicReply"];
                };
            };
        };
    };
    push: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "accounts": [
                 *         "user_1",
                 *         "user_2"
                 *       ],
                 *       "data": {
                 *         "text": "hello"
                 *       },
                 *       "idempotency_key": "order-42-paid"
                 *     }
                 */
                "application/json": components["schemas"]["Push"];
            };
        };
        responses: {
            /** @description Accepted. The message has been handed to every node that holds one of the receivers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                     *       "duplicate": false,
                     *       "streams": [
                     *         {
                     *           "account": "user_1",
                     *           "epoch": "k3vZ8Qa1",
                     *           "offset": 17
                     *         },
                     *         {
                     *           "account": "user_2",
                     *           "epoch": "p0QaT7x2",
                     *           "offset": 4
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["PushResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    pushMany: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "messages": [
                 *         {
                 *           "accounts": [
                 *             "user_1"
                 *           ],
                 *           "data": {
                 *             "text": "first"
                 *           }
                 *         },
                 *         {
                 *           "accounts": [
                 *             "user_2"
                 *           ],
                 *           "data": {
                 *             "text": "second"
                 *           }
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["PushBatch"];
            };
        };
        responses: {
            /** @description One result for each message, in order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "results": [
                     *         {
                     *           "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                     *           "duplicate": false
                     *         },
                     *         {
                     *           "error": {
                     *             "code": 1007,
                     *             "message": "the exchange is unavailable",
                     *             "retryable": true
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["PushBatchResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    connections: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connections, oldest first; an empty list when the account is not connected. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "connections": [
                     *         {
                     *           "connection_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                     *           "protocol": "classic",
                     *           "connected_at": 1795412345678,
                     *           "device_id": "phone-1"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ConnectionList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
        };
    };
    disconnect: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "connection_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11"
                 *     }
                 */
                "application/json": components["schemas"]["Disconnect"];
            };
        };
        responses: {
            /** @description The order has been handed to every node that holds the account. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    accountRooms: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rooms, in no order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rooms": [
                     *         "chat:1",
                     *         "chat:7"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["RoomList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    accountHistory: {
        parameters: {
            query?: {
                /**
                 * @description `epoch:offset`: messages after this place, oldest first
                 * @example k3vZ8Qa1.0:16
                 */
                after?: components["parameters"]["After"];
                /**
                 * @description Messages before this offset: the newest of them. Not together with `after`
                 * @example 17
                 */
                before?: components["parameters"]["Before"];
                /**
                 * @description Messages at most
                 * @example 50
                 */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /**
                 * @description The account, percent-encoded
                 * @example user_1
                 */
                account: components["parameters"]["Account"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messages": [
                     *         {
                     *           "to": "user_1",
                     *           "event": 0,
                     *           "data": {
                     *             "text": "hello"
                     *           },
                     *           "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                     *           "send_at": 1795412345678,
                     *           "offset": 17,
                     *           "epoch": "k3vZ8Qa1.0"
                     *         }
                     *       ],
                     *       "position": {
                     *         "epoch": "k3vZ8Qa1.0",
                     *         "offset": 17,
                     *         "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11"
                     *       },
                     *       "more": true
                     *     }
                     */
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            410: components["responses"]["Gone"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    roomMembers: {
        parameters: {
            query?: {
                /**
                 * @description The `next` of the page before
                 * @example user_100
                 */
                cursor?: string;
                /**
                 * @description Accounts at most
                 * @example 100
                 */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members; `next` is there when more follow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "members": [
                     *         "user_1",
                     *         "user_2"
                     *       ],
                     *       "next": "user_2"
                     *     }
                     */
                    "application/json": components["schemas"]["MemberList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    addRoomMembers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "accounts": [
                 *         "user_1",
                 *         "user_2"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Members"];
            };
        };
        responses: {
            /** @description Remembered. Every node that holds one of the accounts has been told. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeRoomMembers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "accounts": [
                 *         "user_1",
                 *         "user_2"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Members"];
            };
        };
        responses: {
            /** @description Remembered. Every node that holds one of the accounts has been told. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    roomHistory: {
        parameters: {
            query?: {
                /**
                 * @description `epoch:offset`: messages after this place, oldest first
                 * @example k3vZ8Qa1.0:16
                 */
                after?: components["parameters"]["After"];
                /**
                 * @description Messages before this offset: the newest of them. Not together with `after`
                 * @example 17
                 */
                before?: components["parameters"]["Before"];
                /**
                 * @description Messages at most
                 * @example 50
                 */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /**
                 * @description The room, percent-encoded
                 * @example chat:1
                 */
                room: components["parameters"]["Room"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messages": [
                     *         {
                     *           "to": "user_1",
                     *           "event": 0,
                     *           "data": {
                     *             "text": "hello"
                     *           },
                     *           "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
                     *           "send_at": 1795412345678,
                     *           "offset": 17,
                     *           "epoch": "k3vZ8Qa1.0"
                     *         }
                     *       ],
                     *       "position": {
                     *         "epoch": "k3vZ8Qa1.0",
                     *         "offset": 17,
                     *         "msg_id": "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11"
                     *       },
                     *       "more": true
                     *     }
                     */
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            410: components["responses"]["Gone"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
}
