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
         * @description A WebSocket handshake (RFC 6455). The answer 101 is sent once this node receives messages for the account.
         *     A refusal is an HTTP status with the classic body; the connection is then closed.
         *     Frames: `ClassicMessage` from the server, `ClassicSend` from the client.
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
        /** Push one message to one or more accounts */
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
        Push: {
            /** @description Who receives the message */
            accounts: components["schemas"]["Account"][];
            data: components["schemas"]["Data"];
            /** @description The same key with the same body within 5 minutes gets the first result again and delivers nothing twice */
            idempotency_key?: string;
        };
        PushResult: {
            msg_id: components["schemas"]["MsgId"];
            /** @description The idempotency key was seen before; nothing was delivered again */
            duplicate: boolean;
            /** @description Where the message stands in the stream of each account, in the order of `accounts`; of a duplicate, where the first stands. Absent where the store keeps no streams. */
            streams?: components["schemas"]["StreamPosition"][];
        };
        StreamPosition: {
            account: components["schemas"]["Account"];
            /** @description Names the stream. Another epoch means that the store has lost or replaced it */
            epoch: string;
            /** @description Counts the messages of the epoch without a gap, from 1 */
            offset: number;
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
            protocol: "classic";
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
        ErrorCode: 0 | 400 | 404 | 405 | 408 | 413 | 415 | 500 | 504 | 600 | 1000 | 1001 | 1002 | 1003 | 1004 | 1005 | 1006 | 1007 | 1008 | 1009;
        /**
         * @description WebSocket close codes. By range: 1xxx as RFC 6455 says; 4000–4099 stop; 4100–4199 come back after at least 1 s with jitter; 4200–4299 come back at once or after the hint.
         * @enum {integer}
         */
        CloseCode: 1000 | 1002 | 1003 | 1007 | 1008 | 1009 | 1011 | 1012 | 1013 | 4003 | 4010 | 4201 | 4202;
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
                 * @description A JWT signed with the application's secret; `sub` names the account
                 * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1c2VyXzEifQ.pRvQ
                 */
                token: string;
                /**
                 * @description A name the client keeps for this device
                 * @example phone-1
                 */
                device_id?: components["schemas"]["DeviceId"];
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
            /** @description Accepted. The message has been handed to every node that holds one of the accounts. */
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
}
