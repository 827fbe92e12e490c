// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/spec_builder.hpp>
#include <berth/spec/detail/scan.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

struct refusal {
  const char* name;
  std::string json;
  errc code;
  const char* pointer;
};

std::string nested(int levels, const std::string& inside) {
  std::string out = inside;
  for (int i = 0; i < levels; ++i) out = "[" + out + "]";
  return out;
}

const std::string kelvin = "\xe2\x84\xaa";
const std::string long_s = "\xc5\xbf";

class Refused : public testing::TestWithParam<refusal> {};

TEST_P(Refused, WithCodePointerAndHint) {
  const refusal& r = GetParam();
  const result<spec_builder> spec = spec_builder::parse(r.json);
  ASSERT_FALSE(spec) << r.json;
  EXPECT_EQ(errc_name(spec.error().code), errc_name(r.code)) << spec.error().to_string();
  EXPECT_EQ(spec.error().path, r.pointer) << spec.error().to_string();
  EXPECT_EQ(spec.error().layer, "spec");
  EXPECT_FALSE(spec.error().message.empty());
  EXPECT_FALSE(spec.error().hint.empty());
}

const refusal refusals[] = {
    {"empty", "", errc::spec_syntax, ""},
    {"blank", " \n", errc::spec_syntax, ""},
    {"word", "nonsense", errc::spec_syntax, ""},
    {"array_at_root", "[]", errc::spec_type, ""},
    {"string_at_root", "\"x\"", errc::spec_type, ""},
    {"null_at_root", "null", errc::spec_type, ""},
    {"cut_off", R"({"hostname":"x")", errc::spec_syntax, "/hostname"},
    {"cut_in_string", R"({"hostname":"x)", errc::spec_syntax, "/hostname"},
    {"cut_in_key", R"({"host)", errc::spec_syntax, ""},
    {"cut_in_escape", R"({"hostname":"\u12)", errc::spec_syntax, "/hostname"},
    {"cut_after_colon", R"({"hostname":)", errc::spec_syntax, "/hostname"},
    {"no_colon", R"({"hostname" "x"})", errc::spec_syntax, "/hostname"},
    {"trailing_comma", R"({"hostname":"x",})", errc::spec_syntax, ""},
    {"trailing_comma_array", R"({"mounts":[{},]})", errc::spec_syntax, "/mounts/1"},
    {"text_behind", R"({} {})", errc::spec_syntax, ""},
    {"nul_behind", std::string("{}\0", 3), errc::spec_syntax, ""},
    {"comment", R"({/*x*/})", errc::spec_syntax, ""},
    {"byte_order_mark", "\xef\xbb\xbf{}", errc::spec_syntax, ""},
    {"true_misspelt", R"({"x":trve})", errc::spec_syntax, "/x"},
    {"nan", R"({"x":NaN})", errc::spec_syntax, "/x"},
    {"bare_control", "{\"x\":\"a\nb\"}", errc::spec_syntax, "/x"},
    {"bare_nul", std::string("{\"x\":\"a\0b\"}", 11), errc::spec_syntax, "/x"},
    {"bad_escape", R"({"x":"\x41"})", errc::spec_syntax, "/x"},
    {"utf8_overlong", "{\"x\":\"\xc0\xaf\"}", errc::spec_syntax, "/x"},
    {"utf8_surrogate", "{\"x\":\"\xed\xa0\x80\"}", errc::spec_syntax, "/x"},
    {"utf8_too_high", "{\"x\":\"\xf4\x90\x80\x80\"}", errc::spec_syntax, "/x"},
    {"utf8_cut", "{\"x\":\"\xe2\x82\"}", errc::spec_syntax, "/x"},
    {"utf8_cut_at_end", "{\"x\":\"\xe2\x82", errc::spec_syntax, "/x"},
    {"utf8_lone_tail", "{\"x\":\"\x80\"}", errc::spec_syntax, "/x"},
    {"half_surrogate", R"({"x":"\ud800"})", errc::spec_syntax, "/x"},
    {"half_surrogate_low", R"({"x":"\udc00"})", errc::spec_syntax, "/x"},
    {"surrogates_swapped", R"({"x":"\udc00\ud800"})", errc::spec_syntax, "/x"},
    {"number_plus", R"({"x":+1})", errc::spec_syntax, "/x"},
    {"number_zero_first", R"({"x":01})", errc::spec_syntax, "/x"},
    {"number_no_fraction", R"({"x":1.})", errc::spec_syntax, "/x"},
    {"number_no_digits", R"({"x":-})", errc::spec_syntax, "/x"},
    {"number_no_exponent", R"({"x":1e+})", errc::spec_syntax, "/x"},

    {"number_long", "{\"x\":" + std::string(65, '1') + "}", errc::spec_number, "/x"},
    {"number_exponent", R"({"x":1e309})", errc::spec_number, "/x"},
    {"number_exponent_low", R"({"x":1e-309})", errc::spec_number, "/x"},
    {"number_exponent_huge", R"({"x":1e99999999999999999999})", errc::spec_number, "/x"},
    {"u32_too_big", R"({"process":{"user":{"uid":4294967296}}})", errc::spec_number, "/process/user/uid"},
    {"u32_negative", R"({"process":{"user":{"uid":-1}}})", errc::spec_number, "/process/user/uid"},
    {"i64_too_big", R"({"linux":{"resources":{"memory":{"limit":9223372036854775808}}}})", errc::spec_number,
     "/linux/resources/memory/limit"},
    {"i64_too_small", R"({"linux":{"resources":{"memory":{"limit":-9223372036854775809}}}})", errc::spec_number,
     "/linux/resources/memory/limit"},
    {"u64_too_big", R"({"process":{"rlimits":[{"soft":18446744073709551616}]}})", errc::spec_number,
     "/process/rlimits/0/soft"},
    {"u16_too_big", R"({"linux":{"resources":{"blockIO":{"weight":65536}}}})", errc::spec_number,
     "/linux/resources/blockIO/weight"},

    {"twice", R"({"hostname":"a","hostname":"b"})", errc::spec_duplicate_key, "/hostname"},
    {"twice_by_escape", R"({"hostname":"a","hostn\u0061me":"b"})", errc::spec_duplicate_key, "/hostname"},
    {"twice_unknown", R"({"x":1,"x":2})", errc::spec_duplicate_key, "/x"},
    {"twice_unknown_by_case", R"({"vendor":1,"Vendor":2})", errc::spec_duplicate_key, "/Vendor"},
    {"twice_unknown_by_escape", R"({"vendor":1,"\u0056endor":2})", errc::spec_duplicate_key, "/Vendor"},
    {"twice_unknown_by_rune", "{\"kind\":1,\"" + kelvin + "ind\":2}", errc::spec_duplicate_key, "/\xe2\x84\xaaind"},
    {"twice_in_annotations", R"({"annotations":{"a":"1","a":"2"}})", errc::spec_duplicate_key, "/annotations/a"},
    {"twice_in_annotations_by_escape", R"({"annotations":{"a":"1","\u0061":"2"}})", errc::spec_duplicate_key,
     "/annotations/a"},
    {"twice_among_many", R"({"annotations":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":"","c":""}})",
     errc::spec_duplicate_key, "/annotations/c"},
    {"twice_deep_in_unknown", R"({"x":[{"a":{"b":1,"B":2}}]})", errc::spec_duplicate_key, "/x/0/a/B"},
    {"twice_pointer_is_escaped", R"({"annotations":{"a/b~c":"1","a/b~c":"2"}})", errc::spec_duplicate_key,
     "/annotations/a~1b~0c"},

    {"case_beside", R"({"linux":{"seccomp":null,"Seccomp":null}})", errc::spec_key_case, "/linux/Seccomp"},
    {"case_alone", R"({"linux":{"Seccomp":null}})", errc::spec_key_case, "/linux/Seccomp"},
    {"case_all", R"({"MOUNTS":[]})", errc::spec_key_case, "/MOUNTS"},
    {"case_long_s", "{\"mount" + long_s + "\":[]}", errc::spec_key_case, "/mount\xc5\xbf"},
    {"case_kelvin", "{\"hoo" + kelvin + "s\":{}}", errc::spec_key_case, "/hoo\xe2\x84\xaas"},
    {"case_by_escape", R"({"\u004dounts":[]})", errc::spec_key_case, "/Mounts"},
    {"case_in_array", R"({"mounts":[{"Destination":"/x"}]})", errc::spec_key_case, "/mounts/0/Destination"},
    {"case_in_map_value", R"({"linux":{"resources":{"rdma":{"mlx":{"HcaHandles":1}}}}})", errc::spec_key_case,
     "/linux/resources/rdma/mlx/HcaHandles"},
    {"case_retired_field", R"({"linux":{"intelRdt":{"EnableCMT":true}}})", errc::spec_key_case,
     "/linux/intelRdt/EnableCMT"},

    {"type_string", R"({"hostname":1})", errc::spec_type, "/hostname"},
    {"type_bool", R"({"root":{"readonly":"true"}})", errc::spec_type, "/root/readonly"},
    {"type_number", R"({"process":{"user":{"uid":"0"}}})", errc::spec_type, "/process/user/uid"},
    {"type_fraction", R"({"process":{"user":{"uid":1.0}}})", errc::spec_type, "/process/user/uid"},
    {"type_exponent", R"({"process":{"user":{"uid":1e3}}})", errc::spec_type, "/process/user/uid"},
    {"type_object", R"({"process":[]})", errc::spec_type, "/process"},
    {"type_array", R"({"mounts":{}})", errc::spec_type, "/mounts"},
    {"type_element", R"({"process":{"args":["a",2]}})", errc::spec_type, "/process/args/1"},
    {"type_null_element", R"({"process":{"args":["a",null]}})", errc::spec_type, "/process/args/1"},
    {"type_null_in_map", R"({"annotations":{"a":null}})", errc::spec_type, "/annotations/a"},
    {"type_map_value", R"({"annotations":{"a":true}})", errc::spec_type, "/annotations/a"},
    {"type_object_for_map", R"({"annotations":["a"]})", errc::spec_type, "/annotations"},

    {"deep_arrays", "{\"x\":" + nested(128, "") + "}", errc::spec_too_deep, nullptr},
    {"deep_objects",
     [] {
       std::string out = "1";
       for (int i = 0; i < 129; ++i) out = "{\"x\":" + out + "}";
       return out;
     }(),
     errc::spec_too_deep, nullptr},

    {"nul_by_escape", R"({"hostname":"a\u0000b"})", errc::spec_nul, "/hostname"},
    {"nul_in_key", R"({"a\u0000":1})", errc::spec_nul, ""},

    {"destination_dot_dot", R"({"mounts":[{"destination":"/a/../etc"}]})", errc::spec_path, "/mounts/0/destination"},
    {"destination_dot_dot_last", R"({"mounts":[{},{"destination":"/a/.."}]})", errc::spec_path,
     "/mounts/1/destination"},
    {"destination_dot_dot_escaped", R"({"mounts":[{"destination":"/a/\u002e\u002e/b"}]})", errc::spec_path,
     "/mounts/0/destination"},
    {"destination_relative", R"({"mounts":[{"destination":"etc"}]})", errc::spec_path, "/mounts/0/destination"},
    {"destination_empty", R"({"mounts":[{"destination":""}]})", errc::spec_path, "/mounts/0/destination"},
    {"cwd_proc", R"({"process":{"cwd":"/proc/self/fd/7"}})", errc::spec_path, "/process/cwd"},
    {"cwd_proc_itself", R"({"process":{"cwd":"/proc"}})", errc::spec_path, "/process/cwd"},
    {"cwd_proc_unclean", R"({"process":{"cwd":"//./srv/..///proc/"}})", errc::spec_path, "/process/cwd"},
    {"cwd_proc_above_root", R"({"process":{"cwd":"/../../proc/1"}})", errc::spec_path, "/process/cwd"},
    {"cwd_relative", R"({"process":{"cwd":"srv"}})", errc::spec_path, "/process/cwd"},
    {"capability_no_text", R"({"process":{"capabilities":{"bounding":["CAP_KILL",21]}}})", errc::spec_type,
     "/process/capabilities/bounding/1"},
};

// The pointer of what is too deep is 128 steps long: those two are looked at by themselves.
std::vector<refusal> with_pointer() {
  std::vector<refusal> out;
  for (const refusal& r : refusals)
    if (r.pointer != nullptr) out.push_back(r);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Spec, Refused, testing::ValuesIn(with_pointer()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Scan, RefusesWhatIsTooDeep) {
  int seen = 0;
  for (const refusal& r : refusals) {
    if (r.pointer != nullptr) continue;
    const auto spec = spec_builder::parse(r.json);
    ASSERT_FALSE(spec) << r.name;
    EXPECT_EQ(spec.error().code, errc::spec_too_deep) << r.name;
    EXPECT_TRUE(spec.error().path.starts_with("/x/")) << spec.error().path;
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

TEST(Scan, TakesTheDeepestThatIsAllowed) {
  const std::string json = "{\"x\":" + nested(127, "") + "}";
  const auto spec = spec_builder::parse(json);
  ASSERT_TRUE(spec) << spec.error().to_string();
  EXPECT_EQ(spec->to_json(), json);
}

TEST(Scan, RefusesWhatIsTooLarge) {
  std::string json = "{\"x\":\"";
  json.append(spec_max_bytes - json.size() - 2, 'a');
  json += "\"}";
  ASSERT_EQ(json.size(), spec_max_bytes);
  EXPECT_TRUE(spec_builder::parse(json));
  json.insert(6, 1, 'a');
  const auto spec = spec_builder::parse(json);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, errc::spec_too_large);
}

TEST(Scan, DeepNestingOfAMillionLevelsIsRefusedWithoutRecursion) {
  EXPECT_EQ(spec_builder::parse("{\"x\":" + std::string(1000000, '[')).error().code, errc::spec_too_deep);
}

TEST(Scan, ManyKeysAreNotComparedPairByPair) {
  // A quarter of a million keys in one object: pair by pair this would take minutes.
  std::string json = "{\"annotations\":{";
  for (int i = 0; i < 250000; ++i) json += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":\"\"";
  json += "}}";
  EXPECT_TRUE(spec_builder::parse(json));
  json.replace(json.size() - 2, 2, ",\"k17\":\"\"}}");
  const auto spec = spec_builder::parse(json);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().path, "/annotations/k17");
}

TEST(Scan, FreeKeysAreToldApartByCase) {
  for (const char* json :
       {R"({"annotations":{"a":"1","A":"2"}})", R"({"linux":{"sysctl":{"a.b":"1","A.b":"2"}}})",
        R"({"linux":{"resources":{"unified":{"memory.high":"1","Memory.high":"2"}}}})",
        R"({"annotations":{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":"","C":""}})"})
    EXPECT_TRUE(spec_builder::parse(json)) << json;
}

TEST(Scan, TakesWhatIsUnusualButRight) {
  for (const char* json :
       {"{}", " \t\r\n{ } \n", R"({"mounts":null,"process":null,"linux":{"seccomp":null}})",
        R"({"process":{"cwd":""}})", R"({"process":{"cwd":"/proceed"}})", R"({"process":{"cwd":"/srv/proc"}})",
        R"({"mounts":[{"destination":"/a..b/..c/d.."}]})", R"({"m\u006funts":[]})", R"({"x":"\ud83d\ude00\u007f"})",
        R"({"process":{"rlimits":[{"soft":18446744073709551615}],"oomScoreAdj":-1}})",
        R"({"linux":{"resources":{"memory":{"limit":-9223372036854775808}}}})", R"({"x":[1.5e-300,-0,0.0,1E+2]})",
        R"({"linux":{"intelRdt":{"enableCMT":true}}})", R"({"windows":{"credentialSpec":{"any":[1,{"a":2}]}}})"})
    EXPECT_TRUE(spec_builder::parse(json)) << json;
}

TEST(Scan, EveryPrefixOfASpecIsRefusedAndReadsNothingBehindIt) {
  const std::string json = R"({"process":{"args":["a\u00e4)"
                           "\xc3\xa4"
                           R"(\n"],"cwd":"/"},"x":[-1.5e3,true,false,null,{}]})";
  ASSERT_TRUE(spec_builder::parse(json));
  for (std::size_t n = 0; n < json.size(); ++n) {
    const std::string cut = json.substr(0, n);
    const auto spec = spec_builder::parse(cut);
    ASSERT_FALSE(spec) << cut;
    EXPECT_EQ(spec.error().code, errc::spec_syntax) << cut;
  }
}

TEST(Scan, TextChecks) {
  EXPECT_EQ(detail::check_text("plain \xc3\xa4 \xf0\x9f\x98\x80"), nullptr);
  EXPECT_NE(detail::check_text(std::string_view("a\0b", 3)), nullptr);
  EXPECT_NE(detail::check_text("\xff"), nullptr);
  EXPECT_NE(detail::check_text(std::string_view("\xf0\x9f\x98", 3)), nullptr);
  EXPECT_TRUE(detail::is_capability("CAP_CHECKPOINT_RESTORE"));
  EXPECT_FALSE(detail::is_capability("CAP_SYS_ADMIN "));
  EXPECT_FALSE(detail::is_capability(""));
}

}  // namespace
}  // namespace berth
