// The local exchange keeps the contract of all exchanges.
import { createLocalExchange } from "../../server/src/exchange/local.ts";
import { exchangeContract } from "./contract.ts";

exchangeContract("local", createLocalExchange);
